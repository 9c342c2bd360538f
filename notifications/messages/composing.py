"""Making the words of a message from what the outbox keeps of it."""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from notifications.messages.models import Message

WRITTEN: Final = "written"
"""The template of what was worded before it came into the outbox."""
_ADDRESSES: Final = "notifications/mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a message says. An SMS has text alone; a mail without HTML is plain text."""

    subject: str
    text: str
    html: str = ""


Composer = Callable[[Message], Words]
_composers: Final[dict[str, Composer]] = {}


def composed_by(template: str, composer: Composer) -> None:
    """Let messages of a template be worded by a function, when they are sent."""
    _composers[template] = composer


def words_of(message: Message) -> Words:
    """Return what a message says, in its language. What fails in that is the caller's to note."""
    with translation.override(message.language or settings.LANGUAGE_CODE):
        return _composers[message.template](message)


def rendered(name: str, context: dict[str, Any]) -> Words:
    """Return what the templates ``notifications/mail/NAME`` say, in today's language.

    ``NAME.txt`` begins with the subject's line and an empty one; ``NAME.html`` may be missing from
    none: each mail can be read either way.
    """
    known = {"bank": settings.PUBLIC_URL, **context}
    subject, _line, text = render_to_string(f"{_ADDRESSES}/{name}.txt", known).partition("\n\n")
    html = render_to_string(f"{_ADDRESSES}/{name}.html", {**known, "subject": subject.strip()})
    return Words(subject=" ".join(subject.split()), text=text.strip() + "\n", html=html)


def mail_of(message: Message, words: Words) -> EmailMultiAlternatives:
    """Return the mail itself, the same at each attempt: its Message-ID tells it from all others."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        subject=words.subject,
        body=words.text,
        to=[message.to],
        headers={
            "Message-ID": f"<{message.pk}@{host}>",
            "Date": formatdate(message.created_at.timestamp()),
            "Auto-Submitted": "auto-generated",
        },
    )
    if words.html:
        mail.attach_alternative(words.html, "text/html")
    for file in message.attachments.all():
        mail.attach(file.name, bytes(file.content), file.content_type)
    return mail


def _written(message: Message) -> Words:
    return Words(**message.data)


composed_by(WRITTEN, _written)
