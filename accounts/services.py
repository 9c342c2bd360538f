"""What is done about people."""

import re
from typing import Final

from allauth.account.models import EmailAddress
from django.utils.translation import gettext as _

from accounts.models import Branch, Role, User
from core.errors import DomainError

_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


class InvalidPhone(DomainError):
    """A text is no telephone number with its country's code."""

    code = "invalid_phone"


def add_person(  # noqa: PLR0913  # a person has these sides
    *,
    email: str,
    full_name: str,
    role: Role,
    password_hash: str,
    external_reference: str | None,
    branch: Branch | None = None,
    is_superuser: bool = False,
) -> User:
    """Add a person who can log in at once: their e-mail address counts as verified.

    ``password_hash`` is of ``make_password``. Admins may use the Django admin, and super admins
    may do everything there.
    """
    user = User.objects.create(
        email=email,
        full_name=full_name,
        role=role,
        branch=branch,
        password=password_hash,
        is_staff=role is Role.ADMIN,
        is_superuser=is_superuser,
        external_reference=external_reference,
    )
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user


def change_phone(person: int, *, phone: str) -> None:
    """Note a person's telephone number, with its country's code; an empty one forgets it.

    Raises:
        InvalidPhone
    """
    number = phone.replace(" ", "").replace("-", "")
    if number and not _PHONE.fullmatch(number):
        message = _("A telephone number begins with + and its country's code: +91 98200 12345.")
        raise InvalidPhone(message, field="phone")
    User.objects.filter(pk=person).update(phone=number)


def keep_language(person: int, *, language: str) -> None:
    """Note in which language, one that pages are in, somebody wants pages and mails."""
    User.objects.filter(pk=person).update(language=language)


def head_office() -> Branch:
    """Return the head office, made if this bank has none yet."""
    branch, _is_new = Branch.objects.get_or_create(
        number=100, defaults={"code": "HO", "name": "Head office"}
    )
    return branch
