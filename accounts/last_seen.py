"""Who people are while the head office cannot be asked: what it said of them last.

A session that fits what the cache knows of its person goes on; what they may do is decided where it
is done, by the rights on an account.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import OuterRef

from accounts.known import SILENCE
from accounts.models import Role, User
from accounts.standing import SUPERADMIN, remember_standing, standing_of
from notifications.notices.inbox import unread_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonLastSeen:
    """A person as the head office last knew them. No admin: their work is at the head office."""

    pk: int
    full_name: str
    email: str | None
    role: str
    session_hash: str
    is_authenticated: Literal[True] = True
    is_anonymous: Literal[False] = False
    is_active: Literal[True] = True
    is_staff: Literal[False] = False
    is_superuser: Literal[False] = False
    unread_notices: Literal[0] = 0

    def has_perm(self, _permission: str, _what: Any = None) -> bool:
        """Permit nothing."""
        return False

    def get_session_auth_hash(self) -> str:
        """Return what a session of theirs must hold: another password ends it."""
        return self.session_hash

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Return no others."""
        return iter(())


class PeopleBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth is untyped
    """Knows people by the head office, and while it is silent by what it said last."""

    def get_user(self, user_id: int) -> User | PersonLastSeen | None:
        """Return the person of a session."""
        try:
            user = _find(user_id)
        except SILENCE:
            return _recall(user_id)
        if user is None or not self.user_can_authenticate(user):
            return None
        remember_standing(user)
        return user


def _find(pk: int) -> User | None:
    """Return a person, with the number of notices that every page of theirs shows."""
    people = User.objects.annotate(unread_notices=unread_of(OuterRef("pk")))
    return people.filter(pk=pk).first()


def _recall(pk: int) -> PersonLastSeen | None:
    try:
        known = standing_of(pk)
    except SILENCE:
        return None
    if known is None or not known.is_active:
        return None
    return PersonLastSeen(
        pk=known.pk,
        full_name=known.full_name,
        email=known.email,
        role=Role.ADMIN if known.role == SUPERADMIN else known.role,
        session_hash=known.session_hash,
    )
