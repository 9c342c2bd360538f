"""Mails as files in the demo's outbox."""

from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from core.clock import now
from notifications.outbox import store


class EmailBackend(BaseEmailBackend):
    """Write each mail to a file of its own."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store the mails; return their number."""
        for mail in email_messages:
            content = mail.message().as_bytes()
            store(folder=settings.OUTBOX, suffix=".eml", content=content, now=now())
        return len(email_messages)
