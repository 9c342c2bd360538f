"""Those who work for the demo bank: enough of each kind to try everything.

What one of the super admins asks for, the other approves.
"""

from typing import Final

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission

from accounts.models import Role, User
from accounts.services import add_person
from accounts.standing import SUPERADMIN
from transactions.demo.people import STAFF, email_of

_GROUP: Final = "Branch managers"
_MAY: Final = (
    "book_cash",
    "decide_approval",
    "fill_with_cash",
    "govern_account",
    "view_account",
    "view_approval",
    "view_branch",
    "view_user",
    "view_viewing",
)


def add_staff(*, password: str, prefix: str) -> None:
    """Add those of the staff who are not here yet, all with one password. Needs a transaction."""
    known = set(
        User.objects.filter(external_reference__startswith=f"{prefix}:").values_list(
            "external_reference", flat=True
        )
    )
    missing = [(name, rank) for name, rank in STAFF if _reference(prefix, name, rank) not in known]
    # Hashing is slow on purpose; one hash does for all, since all know the password.
    password_hash = make_password(password) if missing else ""
    for name, rank in missing:
        person = add_person(
            email=email_of(name),
            full_name=name,
            role=_role(rank),
            password_hash=password_hash,
            external_reference=_reference(prefix, name, rank),
            is_superuser=rank == SUPERADMIN,
        )
        if rank == Role.ADMIN:
            person.groups.add(_managers())


def _role(rank: str) -> Role:
    return Role.ADMIN if rank == SUPERADMIN else Role(rank)


def _reference(prefix: str, name: str, rank: str) -> str:
    return f"{prefix}:{_role(rank)}:{name}"


def _managers() -> Group:
    """Return the group of those who run a branch, with what they may."""
    group, is_new = Group.objects.get_or_create(name=_GROUP)
    if is_new:
        group.permissions.set(Permission.objects.filter(codename__in=_MAY))
    return group
