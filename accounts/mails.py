"""Mails to people about their access: codes, invitations, what was changed."""

from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import User
from core.errors import DomainError


class MailNotSent(DomainError):
    """The mail server did not take a mail."""

    code = "mail_not_sent"
    http_status = 503

    def __init__(self) -> None:
        super().__init__(_("The mail could not be sent; please try again later."))


def send_mail_to(person: User, name: str, **context: Any) -> None:
    """Send a person, who has an e-mail address, the mail of the templates ``name``.

    It is in the language that the person chose for pages, whoever has it sent.

    Raises:
        MailNotSent
    """
    told = {"person": person, **context}
    with override(person.language or settings.LANGUAGE_CODE):
        subject = render_to_string(f"account/email/{name}_subject.txt", told).strip()
        message = render_to_string(f"account/email/{name}_message.txt", told)
    try:
        send_mail(subject, message, from_email=None, recipient_list=[str(person.email)])
    except (OSError, SMTPException) as error:
        raise MailNotSent from error
