"""What people are to the bank, and how that changes: asked by one admin, approved by another."""

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.approvals import OutdatedRequest, approvable, ask_approval
from accounts.callers import forget_standing
from accounts.keys import revoke_keys_of
from accounts.models import Approval, ApprovalState, Role, User, UserStatus
from accounts.selectors import UnknownPerson
from accounts.standing import SUPERADMIN, role_of
from core.errors import DomainError

ROLES: Final = (*Role.values, SUPERADMIN)
"""All that a person can be, by what the API calls it: a super admin is an admin who may all."""

_CHANGE: Final = "accounts.change_role"


class OwnRole(DomainError):
    """Nobody changes what they are themselves."""

    code = "own_role"
    http_status = 403


class ForSuperAdmins(DomainError):
    """Only super admins decide about staff of this rank."""

    code = "for_super_admins"
    http_status = 403


class NotActive(DomainError):
    """Somebody who is suspended or closed is given no role."""

    code = "person_not_active"
    http_status = 409


def ask_role(person: User, *, role: str, maker: User, reason: str) -> Approval:
    """Ask that a person gets another role; somebody else must approve. Asked twice, it is one.

    Raises:
        OwnRole, NotActive
        ForSuperAdmins: an admin asks for a super admin, or about one.
        InvalidText: the reason is empty, too long, or not one line.
    """
    if person.pk == maker.pk:
        message = _("You cannot change your own role.")
        raise OwnRole(message)
    _refuse_rank(person, role, by=maker)
    _refuse_inactive(person)
    payload = {
        "person": person.pk,
        "user_id": str(person.number),
        "was": role_of(person),
        "role": role,
    }
    waiting = Approval.objects.filter(
        maker=maker, action=_CHANGE, payload=payload, state=ApprovalState.WAITING
    )
    return waiting.first() or ask_approval(
        maker=maker.pk, action=_CHANGE, payload=payload, reason=reason
    )


@approvable(_CHANGE, about=lambda payload: {str(payload["person"])})
def change_role(payload: Mapping[str, Any], *, maker: int, checker: int) -> dict[str, str]:
    """Give a person another role, and no permission and no API key of the old one.

    Raises:
        ForSuperAdmins, NotActive, UnknownPerson
        OutdatedRequest: by now they are not what they were when it was asked for.
    """
    staff = User.objects.in_bulk([maker, checker])
    role = str(payload["role"])
    with transaction.atomic():
        person = User.objects.select_for_update().filter(pk=payload["person"]).first()
        if person is None:
            raise UnknownPerson
        for one in staff.values():
            _refuse_rank(person, role, by=one)
        _refuse_inactive(person)
        was = role_of(person)
        if was != role:
            _refuse_outdated(payload, was)
            _write(person, role)
            transaction.on_commit(lambda: forget_standing(person.pk))
    return {"was": was, "is": role}


def _write(person: User, role: str) -> None:
    person.role = Role.ADMIN if role == SUPERADMIN else Role(role)
    person.is_staff = person.role == Role.ADMIN
    person.is_superuser = role == SUPERADMIN
    person.save(update_fields=["role", "is_staff", "is_superuser"])
    revoke_keys_of(person.pk)
    person.groups.clear()
    person.user_permissions.clear()


def _refuse_outdated(payload: Mapping[str, Any], role: str) -> None:
    # Those of an earlier release do not tell.
    if payload.get("was", role) != role:
        message = _(
            "The person's role has changed since this was asked for: it is %(role)s now."
        ) % {"role": role}
        raise OutdatedRequest(message)


def _refuse_rank(person: User, role: str, *, by: User) -> None:
    if SUPERADMIN in {role, role_of(person)} and not by.is_superuser:
        message = _("Only super admins decide about super admins.")
        raise ForSuperAdmins(message)


def _refuse_inactive(person: User) -> None:
    if person.status != UserStatus.ACTIVE:
        message = _("This person is %(status)s.") % {"status": person.get_status_display()}
        raise NotActive(message)
