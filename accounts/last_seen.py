"""Who people are while the head office cannot be asked: what it said of them last.

With each request of a session the person is looked up at the head office and remembered in the
cache. When it is silent, a session that fits what is remembered goes on; what its person may do is
decided where it is done, by the rights on an account.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError

from accounts.models import User

_SALT: Final = "person last seen"


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
            user: User | None = super().get_user(user_id)
        except (OperationalError, InterfaceError):
            return _recall(user_id)
        if user is None:
            forget_person(user_id)
        else:
            _remember(user)
        return user


def forget_person(pk: int) -> None:
    """Forget what was known of somebody: it has changed."""
    try:
        cache.delete(_place(pk))
    except RedisError:
        # Nobody will be recalled from there either; it keeps for a working day at most.
        return


def _remember(user: User) -> None:
    known = {
        "pk": user.pk,
        "full_name": user.full_name,
        "email": user.email,
        "role": user.role,
        "session_hash": user.get_session_auth_hash(),
    }
    try:
        cache.set(_place(user.pk), signing.dumps(known, salt=_SALT), settings.SESSION_COOKIE_AGE)
    except RedisError:
        return


def _recall(pk: int) -> PersonLastSeen | None:
    try:
        kept = cache.get(_place(pk))
        return None if kept is None else PersonLastSeen(**signing.loads(kept, salt=_SALT))
    except (RedisError, signing.BadSignature):
        return None


def _place(pk: int) -> str:
    return f"person:{pk}"
