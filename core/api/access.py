"""Who may use a method of the API. What nobody is named for, nobody may."""

from collections.abc import Iterator
from typing import Final, Protocol

from rest_framework.exceptions import NotAuthenticated

from core.errors import DomainError

ANYONE: Final = "anyone"
CUSTOMER: Final = "customer"
EMPLOYEE: Final = "employee"
ADMIN: Final = "admin"
SUPERADMIN: Final = "superadmin"
ROLES: Final = frozenset({ANYONE, CUSTOMER, EMPLOYEE, ADMIN, SUPERADMIN})

SCOPES: Final = (
    "accounts:read",
    "transfers:write",
    "batches:write",
    "holds:write",
    "payees:write",
    "webhooks:write",
    "cards:charge",
    "admin:read",
    "admin:write",
)
"""What an API key can be given, in the order in which people read it."""


_ADMINS_ALONE: Final = frozenset({"cards:charge", "admin:read", "admin:write"})
_OF_ADMINS: Final = _ADMINS_ALONE | {"accounts:read"}
_SCOPES_OF: Final = {
    CUSTOMER: frozenset(SCOPES) - _ADMINS_ALONE,
    EMPLOYEE: frozenset({"accounts:read", "admin:read"}),
    ADMIN: _OF_ADMINS,
    SUPERADMIN: _OF_ADMINS,
}


def scopes_of(role: str) -> frozenset[str]:
    """Return what an API key of somebody in a role can be given, and is worth."""
    return _SCOPES_OF[role]


class KnownCaller(Protocol):
    """What the API asks of those who call it."""

    @property
    def pk(self) -> int:
        """Who they are."""

    @property
    def role(self) -> str:
        """What they are to the bank."""

    @property
    def scopes(self) -> frozenset[str] | None:
        """What their API key was given; None for people, who may what their role may."""

    def has_perm(self, name: str) -> bool:
        """Tell whether they were given a permission."""


class Forbidden(DomainError):
    """The caller is known, and may not do this."""

    code = "forbidden"
    http_status = 403


class InsufficientScope(Forbidden):
    """The caller's API key was not given what this needs."""

    code = "insufficient_scope"


class Access:
    """Who is let in: people of these roles, and API keys that were given ``scope``.

    Without a ``scope`` no API key is let in. ``permission`` is what an admin needs besides; a super
    admin may what an admin may.
    """

    __slots__ = ("permission", "roles", "scope")

    def __init__(
        self, *roles: str, scope: str | None = None, permission: str | None = None
    ) -> None:
        unknown = {*roles} - ROLES or {scope or SCOPES[0]} - {*SCOPES}
        if unknown or not roles:
            message = f"Access for nobody, or by unknown names: {sorted(unknown)}"
            raise ValueError(message)
        self.roles = frozenset(_with_superiors(roles))
        self.scope = scope
        self.permission = permission

    def check(self, caller: KnownCaller | None) -> None:
        """Let the caller pass; None is nobody known.

        Raises:
            NotAuthenticated: nobody knows who calls.
            Forbidden, InsufficientScope: it is known, and they may not.
        """
        if ANYONE in self.roles:
            return
        if caller is None:
            raise NotAuthenticated
        if caller.role not in self.roles:
            message = f"This is not for the role {caller.role}."
            raise Forbidden(message)
        if caller.scopes is not None:
            self._check_scope(caller.scopes)
        if self.permission and caller.role == ADMIN and not caller.has_perm(self.permission):
            message = f"This needs the permission {self.permission}."
            raise Forbidden(message)

    def _check_scope(self, scopes: frozenset[str]) -> None:
        if self.scope is None:
            message = "API keys are not let in here; log in."
            raise InsufficientScope(message)
        if self.scope not in scopes:
            message = f"This needs an API key with the scope {self.scope}."
            raise InsufficientScope(message)


def _with_superiors(roles: tuple[str, ...]) -> Iterator[str]:
    yield from roles
    if ADMIN in roles:
        yield SUPERADMIN
