"""Sessions: in the head office's database, with a copy in the cache that does while that is down.

Signed cookies would do, too, and could not be ended by the bank. The cache is not needed while the
database answers. A copy is signed, and found by the session key's hash: the key itself lets its
bearer in.

Of people who are logged in there is a ``Session``, too, which they see and can end.
"""

from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core.cache import cache
from django.db.models.functions import Now
from redis.exceptions import RedisError

from accounts.known import SILENCE, Known
from accounts.last_used import note_used
from accounts.models import Session
from core import clock

# Under which name Django's session data name the session.
IN_SESSION: Final = "bank_session"

_log = structlog.get_logger(__name__)


class SessionStore(DatabaseStore):
    """A session. Beginning one needs the database; going on, changing and ending it does not."""

    def load(self) -> dict[str, Any]:
        """Return the session's data, from the cache if it is there."""
        try:
            kept = cache.get(self._place())
        except RedisError:
            kept = None
        if kept is None:
            return self._load_from_database()
        data: dict[str, Any] = self.decode(kept)
        if not data:
            # Ended: what comes next is another one.
            self._session_key = None
        elif IN_SESSION in data:
            note_used(Session, data[IN_SESSION], now=clock.now())
        return data

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  # as Django calls it
        """Save in the database and the cache; while the database is silent, in the cache alone."""
        try:
            super().save(must_create)
        except (*SILENCE, UpdateError) as error:
            # Django calls it the same when the session was ended meanwhile.
            is_silent = isinstance(error, SILENCE) or isinstance(error.__context__, SILENCE)
            if must_create or not is_silent or not self._keep_now():
                raise
        else:
            self._keep_now()

    def delete(self, session_key: str | None = None) -> None:
        """End the session, at once and for good.

        While the database is silent the cache says so, for as long as the session could have lived.
        """
        key = session_key or self.session_key
        if key is None:
            return
        is_noted = SessionStore(key).say_ended()
        try:
            super().delete(key)
            _end(key)
        except SILENCE:
            if not is_noted:
                raise

    def cycle_key(self) -> None:
        """Go on under another key, so that one that somebody else may know is worth nothing."""
        before = self.session_key
        super().cycle_key()
        if before is not None:
            Session.objects.filter(session_key=before).update(
                session_key=self.session_key, ended_at=None
            )

    def say_ended(self) -> bool:
        """Let the cache say that the session is over; False when it does not answer."""
        return self._keep({}, seconds=settings.SESSION_COOKIE_AGE)

    def _load_from_database(self) -> dict[str, Any]:
        row = self._get_session_from_db()  # type: ignore[attr-defined]  # not in the stubs
        if row is None:
            return {}
        data: dict[str, Any] = self.decode(row.session_data)
        try:
            # Only where there is none: the session may have been ended since it was read.
            cache.add(self._place(), self.encode(data), self.get_expiry_age(expiry=row.expire_date))
        except RedisError as error:
            _log.warning("session_not_cached", error=str(error))
        return data

    def _keep_now(self) -> bool:
        data = self._get_session(no_load=True)  # type: ignore[attr-defined]  # not in the stubs
        return self._keep(data, seconds=self.get_expiry_age())

    def _keep(self, data: dict[str, Any], *, seconds: int) -> bool:
        """Put data into the cache; False when that does not answer."""
        if self.session_key is None:
            return False
        try:
            cache.set(self._place(), self.encode(data), seconds)
        except RedisError as error:
            _log.warning("session_not_cached", error=str(error))
            return False
        return True

    def _place(self) -> str:
        return f"session:{sha256(str(self.session_key).encode()).hexdigest()}"


def is_open(pk: UUID, *, person: int, now: datetime) -> bool:
    """Tell whether a session of a person's goes on.

    Raises:
        OperationalError, InterfaceError: the head office is silent, and the cache does not know.
    """
    known = sessions.get(str(pk))
    return (
        known is not None
        and known["is_open"]
        and known["person"] == person
        and known["expires"] > now.timestamp()
    )


def _end(key: str) -> None:
    """Note that who was logged in under a key is no more."""
    going_on = Session.objects.filter(session_key=key, ended_at=None)
    for one in going_on.values_list("pk", flat=True):
        Session.objects.filter(pk=one).update(ended_at=Now())
        sessions.tell(str(one))


def _load(pk: str) -> dict[str, Any] | None:
    found = Session.objects.filter(pk=pk).first()
    return None if found is None else _value_of(found)


def remember_session(session: Session) -> None:
    """Let the cache know a session that has just begun."""
    sessions.offer(str(session.pk), _value_of(session))


def _value_of(found: Session) -> dict[str, Any]:
    return {
        "person": found.person_id,
        "is_open": found.ended_at is None,
        "expires": found.expires_at.timestamp(),
    }


def _tell_django(pk: str) -> None:
    """Let what is kept for pages end with the session.

    Raises:
        RedisError: the cache does not answer.
    """
    over = Session.objects.filter(pk=pk, ended_at__isnull=False).first()
    if over is not None and not SessionStore(over.session_key).say_ended():
        raise RedisError


sessions: Final = Known("session", _load, telling=_tell_django)
