"""What is known of people and of the identity of accounts."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from django.db import connections
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import (
    Branch,
    CredentialChange,
    Holding,
    Product,
    Role,
    StatusChange,
    User,
    UserStatus,
    Viewing,
)
from core.db.sql import queries
from core.errors import DomainError

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "queries.sql")


class UnknownPerson(DomainError):
    """There is no such person."""

    code = "unknown_person"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no person with this user ID."))


class UnknownBranch(DomainError):
    """There is no such branch."""

    code = "unknown_branch"

    def __init__(self) -> None:
        super().__init__(_("There is no branch with this code."), field="branch")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFilter:
    """Which people: all that is None is left open. ``text`` is a part of name, e-mail or phone."""

    role: str | None = None
    status: UserStatus | None = None
    branch: str | None = None
    text: str | None = None


class Identity(NamedTuple):
    """What an account is called: by its holder, by what kind it is, and by its branch's name."""

    number: int
    name: str
    product: str
    branch: str

    @property
    def called(self) -> str:
        """The holder's name for it, else the product's."""
        return self.name or str(Product(self.product).label)


def identities(numbers: Collection[int], *, using: str = "default") -> dict[int, Identity]:
    """Return the identities of customers' accounts, by number."""
    with connections[using].cursor() as cursor:
        cursor.execute(_QUERIES["identities"], {"numbers": list(numbers)})
        return {row[0]: Identity._make(row) for row in cursor.fetchall()}


def names_of(people: Collection[int], *, using: str = "default") -> dict[int, str]:
    """Return people's names by their ids."""
    if not people:
        return {}
    return dict(User.objects.using(using).filter(pk__in=people).values_list("pk", "full_name"))


def people_named(people: Collection[int], *, using: str = "default") -> dict[int, User]:
    """Return people by their keys, as far as their names and user IDs."""
    known = User.objects.using(using).only("full_name", "number")
    return known.in_bulk(list(people)) if people else {}


def branches() -> list[Branch]:
    """Return all branches, by number."""
    return list(Branch.objects.all())


def branch_coded(code: str) -> Branch:
    """Return the branch with a code.

    Raises:
        UnknownBranch
    """
    found = Branch.objects.filter(code=code).first()
    if found is None:
        raise UnknownBranch
    return found


def person_known(pk: int) -> User:
    """Return a person with their home branch, by their key.

    Raises:
        UnknownPerson
    """
    found = User.objects.select_related("branch").filter(pk=pk).first()
    if found is None:
        raise UnknownPerson
    return found


def person_numbered(user_id: int, *, using: str = "default") -> User:
    """Return a person with their home branch, by their user ID.

    Raises:
        UnknownPerson
    """
    known = User.objects.using(using).select_related("branch", "district")
    found = known.filter(number=user_id).first()
    if found is None:
        raise UnknownPerson
    return found


def people(wanted: PersonFilter, *, after: int, limit: int) -> list[User]:
    """Return up to ``limit`` people, in the order in which they joined, those after a key."""
    found = User.objects.select_related("branch").filter(pk__gt=after)
    return list(_filtered(found, wanted).order_by("pk")[:limit])


def status_changes(person: int, *, using: str = "default") -> list[StatusChange]:
    """Return how a person's status changed, newest first, with who changed it."""
    changes = StatusChange.objects.using(using).filter(person=person)
    return list(changes.select_related("changed_by"))


def credential_changes_of(
    person: int, *, limit: int, using: str = "default"
) -> list[CredentialChange]:
    """Return how what a person shows who they are by was changed, newest first, with by whom."""
    changes = CredentialChange.objects.using(using).filter(person=person)
    return list(changes.select_related("by")[:limit])


def viewings_of(subject: int, *, before: int | None, limit: int) -> list[Viewing]:
    """Return who looked at a person's data, newest first, those before a key."""
    found = Viewing.objects.filter(subject=subject).select_related("viewer")
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found[:limit])


def holders_of(numbers: Collection[int]) -> dict[int, list[int]]:
    """Return who holds accounts, by number, as the head office's copies say."""
    held: dict[int, list[int]] = {}
    pairs = Holding.objects.filter(account__in=numbers).values_list("account", "user")
    for number, user in pairs:
        held.setdefault(number, []).append(user)
    return held


def _filtered(found: QuerySet[User], wanted: PersonFilter) -> QuerySet[User]:
    if wanted.role is not None:
        is_superuser = wanted.role not in Role.values
        role = Role.ADMIN if is_superuser else wanted.role
        found = found.filter(role=role, is_superuser=is_superuser)
    if wanted.status is not None:
        found = found.filter(status=wanted.status)
    if wanted.branch is not None:
        found = found.filter(branch__code=wanted.branch)
    if wanted.text:
        part = wanted.text
        found = found.filter(
            Q(full_name__icontains=part) | Q(email__icontains=part) | Q(phone__icontains=part)
        )
    return found
