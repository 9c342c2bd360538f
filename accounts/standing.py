"""How people stand with the bank: what they are to it, and whether they are let in.

What lets them in is made with ``SECRET_KEY``, and with those of ``SECRET_KEY_FALLBACKS`` it was.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.utils.crypto import constant_time_compare

from accounts.known import Known
from accounts.models import Role, User

SUPERADMIN: Final = "superadmin"
_EPOCH_LENGTH: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a person stands. ``session_hash`` changes with the password, and with ``SECRET_KEY``.

    ``former_hashes`` are what it was under earlier keys.

    ``lacks_second_factor`` is true of those who work for the bank and have none.
    """

    pk: int
    full_name: str
    email: str | None
    role: str
    is_active: bool
    session_hash: str
    former_hashes: list[str]
    lacks_second_factor: bool

    @property
    def needs_second_factor(self) -> bool:
        """Tell whether they must set a second factor up before they do anything else."""
        return self.lacks_second_factor and bool(settings.STAFF_NEED_SECOND_FACTOR)

    @property
    def epoch(self) -> str:
        """What every new token of theirs names."""
        return _epoch(self.session_hash)

    def has_session(self, session_hash: str) -> bool:
        """Tell whether a session that holds this hash was begun under today's password."""
        return _is_among(session_hash, [self.session_hash, *self.former_hashes])

    def has_epoch(self, epoch: str) -> bool:
        """Tell whether a token that names this epoch was made under today's password."""
        return _is_among(epoch, map(_epoch, [self.session_hash, *self.former_hashes]))


def role_of(person: User) -> str:
    """Return what a person is, as the API says it."""
    return SUPERADMIN if person.is_superuser else person.role


def epoch_of(user: User) -> str:
    """Return what a person's new tokens name: another password begins another epoch."""
    return _epoch(user.get_session_auth_hash())


def is_epoch_of(user: User, epoch: str) -> bool:
    """Tell whether a token that names this epoch was made under the person's password of today."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return _is_among(epoch, map(_epoch, hashes))


def standing_of(pk: int) -> Standing | None:
    """Return how a person stands; None when there is nobody.

    Raises:
        OperationalError, InterfaceError: the head office is silent, and the cache does not know.
    """
    value = people.get(str(pk))
    # Another release, which runs beside this one for a while, may tell more.
    return None if value is None else Standing(**{name: value[name] for name in _FIELDS})


def remember_standing(user: User) -> None:
    """Let the cache know how somebody stands who was just read from the database."""
    people.offer(str(user.pk), _value_of(user))


def _epoch(session_hash: str) -> str:
    return session_hash[:_EPOCH_LENGTH]


def _is_among(told: str, known: Iterable[str]) -> bool:
    return any(constant_time_compare(told, one) for one in known)


def _value_of(user: User) -> dict[str, Any]:
    return {
        "pk": user.pk,
        "full_name": user.full_name,
        "email": user.email,
        "role": role_of(user),
        "is_active": user.is_active,
        "session_hash": user.get_session_auth_hash(),
        "former_hashes": list(user.get_session_auth_fallback_hash()),
        "lacks_second_factor": role_of(user) != Role.CUSTOMER and not is_mfa_enabled(user),
    }


def _load(pk: str) -> dict[str, Any] | None:
    user = User.objects.filter(pk=pk).first()
    return None if user is None else _value_of(user)


_FIELDS: Final = frozenset(one.name for one in fields(Standing))

people: Final = Known("person", _load, fields=_FIELDS)
