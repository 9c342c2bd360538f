"""How people become customers: they sign up themselves, or an admin registers them.

Who signs up shows first that the e-mail address is theirs, by the link in the mail that they get.
Whom an admin registers is a customer at once, and chooses a password by the link of an invitation.
``registration_confirmed`` tells whoever opens the first account.
"""

from datetime import datetime
from typing import Any, Final

import structlog
from allauth.account import app_settings
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.dispatch import Signal
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.mails import MailNotSent, send_mail_to
from accounts.models import Branch, Registration, Role, User
from accounts.selectors import branch_coded
from core import clock
from core.errors import DomainError
from core.text import one_line

LONGEST_NAME: Final = 120
_LONGEST_EMAIL: Final = 254

_log = structlog.get_logger(__name__)

registration_confirmed: Final = Signal()
"""Sent with ``person``, an id, and ``now``, when a registration is confirmed and committed."""


class InvalidEmail(DomainError):
    """A text is no e-mail address."""

    code = "invalid_email"


class EmailTaken(DomainError):
    """Somebody else has the e-mail address."""

    code = "email_taken"
    http_status = 409


class NameMissing(DomainError):
    """A person needs a name."""

    code = "name_missing"


class NotInvited(DomainError):
    """Who can log in, or signed up, is not invited."""

    code = "not_invited"
    http_status = 409


def register_customer(
    *, email: str, full_name: str, branch: str, registered_by: int, now: datetime
) -> User:
    """Register a customer of a branch, by its code, and invite them to choose a password.

    No transaction may be open. A mail that could not be sent can be sent again.

    Raises:
        InvalidEmail, EmailTaken, NameMissing, InvalidText, UnknownBranch
    """
    address = _address(email)
    name = one_line(full_name, longest=LONGEST_NAME, field="full_name")
    if not name:
        message = _("A person needs a name.")
        raise NameMissing(message, field="full_name")
    at = branch_coded(branch)
    try:
        with transaction.atomic(durable=True):
            person = _add(address, name, at, registered_by)
            confirm_registration(person.pk, now=now)
    except IntegrityError as error:
        message = _("Somebody has this e-mail address already.")
        raise EmailTaken(message, field="email") from error
    try:
        invite(person)
    except MailNotSent as error:
        _log.warning("invitation_not_sent", person=person.pk, error=str(error.__cause__))
    return person


def invite(person: User) -> None:
    """Send a registered customer the link by which they choose their password.

    Raises:
        NotInvited: they have chosen one, or signed up themselves.
        MailNotSent
    """
    by_admin = Registration.objects.filter(person=person, registered_by__isnull=False)
    if person.has_usable_password() or not by_admin.exists():
        message = _("This person needs no invitation: they choose their password at the log-in.")
        raise NotInvited(message)
    token = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(person)
    key = {"uidb36": user_pk_to_url_str(person), "key": token}
    path = reverse("account_reset_password_from_key", kwargs=key)
    send_mail_to(person, "invitation", link=f"{settings.PUBLIC_URL}{path}")


def note_sign_up(person: User, *, branch: Branch) -> None:
    """Note that a person signed up at a branch; their account waits until they confirm."""
    Registration.objects.create(person=person, branch=branch)


def confirm_registration(person: int, *, now: datetime) -> None:
    """Note that a person's e-mail address is theirs, so that their first account can be opened."""
    with transaction.atomic():
        waiting = Registration.objects.filter(person=person, confirmed_at__isnull=True)
        if waiting.update(confirmed_at=now):
            transaction.on_commit(lambda: registration_confirmed.send(None, person=person, now=now))


def on_email_confirmed(*, email_address: EmailAddress, **_others: Any) -> None:
    """Confirm the registration of somebody who followed the link in a mail."""
    confirm_registration(email_address.user_id, now=clock.now())


def on_password_chosen(*, user: User, **_others: Any) -> None:
    """Count the e-mail address of somebody who was invited as theirs: the link came there."""
    if Registration.objects.filter(person=user, registered_by__isnull=False).exists():
        EmailAddress.objects.filter(user=user, email__iexact=user.email).update(verified=True)


def _address(text: str) -> str:
    email = one_line(text, longest=_LONGEST_EMAIL, field="email").lower()
    try:
        validate_email(email)
    except ValidationError as error:
        message = _("This is no e-mail address.")
        raise InvalidEmail(message, field="email") from error
    return email


def _add(email: str, name: str, branch: Branch, registered_by: int) -> User:
    person = User.objects.create_user(email, full_name=name, branch=branch, role=Role.CUSTOMER)
    EmailAddress.objects.create(user=person, email=email, primary=True, verified=False)
    Registration.objects.create(person=person, branch=branch, registered_by_id=registered_by)
    return person
