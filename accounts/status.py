"""How people stand with the bank: suspended, let in again, closed for good."""

from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.callers import forget_standing
from accounts.models import AccountStatus, Holding, Role, StatusChange, User, UserStatus
from accounts.open_sessions import end_sessions_of
from accounts.reasons import given_reason
from accounts.selectors import UnknownPerson
from core.errors import DomainError

_STAFF: Final = frozenset({Role.EMPLOYEE, Role.ADMIN})


class OwnStatus(DomainError):
    """Nobody suspends or closes themselves."""

    code = "own_status"
    http_status = 403


class StatusOfStaff(DomainError):
    """Only super admins decide about those who work for the bank."""

    code = "for_super_admins"
    http_status = 403


class PersonClosed(DomainError):
    """Who is closed stays so."""

    code = "person_closed"
    http_status = 409


class HoldsAccounts(DomainError):
    """Somebody who holds an account that is not closed cannot be closed."""

    code = "holds_accounts"
    http_status = 409


def change_person_status(person: int, *, status: UserStatus, changed_by: User, reason: str) -> User:
    """Suspend a person, let them in again, or close them for good; once they are so, do nothing.

    Whoever is not active is refused everywhere within a second, and what they left to be paid is
    held. Locks the person.

    Raises:
        UnknownPerson, OwnStatus, StatusOfStaff, PersonClosed, HoldsAccounts
        InvalidText: the reason is empty, too long, or not one line.
    """
    words = given_reason(reason)
    with transaction.atomic():
        found = User.objects.select_for_update().filter(pk=person).first()
        if found is None:
            raise UnknownPerson
        _refuse_wrong(found, status, changed_by)
        if found.status != status:
            _write(found, status, changed_by, words)
            transaction.on_commit(lambda: _shut_out(person))
    return found


def _shut_out(person: int) -> None:
    """Let every worker learn how a person stands, and end their sessions if they are not let in."""
    forget_standing(person)
    if not User.objects.filter(pk=person, is_active=True).exists():
        end_sessions_of(person)


def _refuse_wrong(person: User, status: UserStatus, by: User) -> None:
    if person.pk == by.pk:
        message = _("You cannot change your own status.")
        raise OwnStatus(message)
    if person.role in _STAFF and not by.is_superuser:
        message = _("Only super admins decide about those who work for the bank.")
        raise StatusOfStaff(message)
    if person.status == UserStatus.CLOSED != status:
        message = _("This person is closed, for good.")
        raise PersonClosed(message)
    if status == UserStatus.CLOSED and _holds_accounts(person):
        message = _("This person holds accounts that are not closed.")
        raise HoldsAccounts(message)


def _holds_accounts(person: User) -> bool:
    held = Holding.objects.filter(user=person)
    return held.exclude(account__status=AccountStatus.CLOSED).exists()


def _write(person: User, status: UserStatus, by: User, reason: str) -> None:
    person.status = status
    person.is_active = status == UserStatus.ACTIVE
    person.save(update_fields=["status", "is_active"])
    StatusChange.objects.create(person=person, status=status, reason=reason, changed_by=by)
