"""Sessions: in the head office's database, with a copy in the cache that does while that is down.

Signed cookies would do, too, and could not be ended by the bank. The cache is not needed while the
database answers. A copy is signed, and found by the session key's hash: the key itself lets its
bearer in.

Of people who are logged in there is a ``Session``, too, which they see and can end. It ends when it
was to end as it began, however long it is used.
"""

from datetime import UTC, datetime
from hashlib import sha256
from math import ceil
from typing import Any, Final
from uuid import UUID

import structlog
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session as KeptSession
from django.core.cache import cache
from django.db import transaction
from django.db.models.functions import Now
from redis.exceptions import RedisError

from accounts.known import SILENCE, Known
from accounts.last_used import note_used
from accounts.models import Session
from core import clock
from core.cache import bank_cache
from core.sealed import seal, unseal

# Under which name Django's session data name the session.
IN_SESSION: Final = "bank_session"
LANGUAGE_IN_SESSION: Final = "language"
"""The language that the session's person chose for pages; empty where they never did."""
# And when it ends: seconds of the Unix clock.
ENDS_AT: Final = "bank_session_ends"
# And when a page was asked for last: seconds, too. Programs' sessions have none.
USED_AT: Final = "bank_session_used"
# Nobody is logged in any longer at a screen that was left alone.
IDLE_SECONDS: Final = 15 * 60
# What the cache holds of a session that is over. Nothing is written over it.
_ENDED: Final = 0
# Under which name the cache collects the keys, sealed, of sessions to be ended in the database.
_LEFT_OVER: Final = "sessions-left-over"

_log = structlog.get_logger(__name__)


class SessionStore(DatabaseStore):
    """A session. Beginning one needs the database; going on, changing and ending it does not."""

    def load(self) -> dict[str, Any]:
        """Return the session's data, from the cache if it is there; of one that is over, none."""
        try:
            kept = cache.get(self._place())
        except RedisError:
            kept = None
        if kept is None:
            data = self._load_from_database()
        else:
            data = {} if kept == _ENDED else self.decode(kept)
        if not data or _is_over(data):
            # What comes next is another one.
            self._session_key = None
            return {}
        if IN_SESSION in data:
            note_used(Session, data[IN_SESSION], now=clock.now())
        return data

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  # as Django calls it
        """Save in the database and the cache; while the database is silent, in the cache alone.

        Raises:
            UpdateError: the session was ended meanwhile, or nothing answers.
        """
        try:
            super().save(must_create)
        except (*SILENCE, UpdateError) as error:
            # Django calls it the same when the session was ended meanwhile.
            is_silent = isinstance(error, SILENCE) or isinstance(error.__context__, SILENCE)
            if must_create or not is_silent:
                raise
            if not self._keep_now():
                raise UpdateError from error
        else:
            self._keep_now()

    def delete(self, session_key: str | None = None) -> None:
        """End the session, at once and for good.

        While the database is silent the cache says so, and ``manage.py watch`` does the rest.
        """
        key = session_key or self.session_key
        if key is None:
            return
        is_noted = SessionStore(key).say_ended()
        try:
            _end(key)
        except SILENCE:
            if not (is_noted and _is_left_over(key)):
                raise

    def cycle_key(self) -> None:
        """Go on under another key, so that one that somebody else may know is worth nothing.

        A session that somebody ended meanwhile does not go on.
        """
        data = self._session  # type: ignore[attr-defined]  # not in the stubs
        before = self.session_key
        self.create()
        self._session_cache = data
        if before is None:
            return
        going_on = Session.objects.filter(session_key=before, ended_at=None)
        if not going_on.update(session_key=self.session_key) and IN_SESSION in data:
            self.flush()
        self.delete(before)

    def get_expiry_age(self, **kwargs: Any) -> int:
        """Return for how many seconds the session can go on."""
        usual = super().get_expiry_age(**kwargs)
        end = self.get(ENDS_AT)
        return usual if end is None else min(usual, _seconds_until(end))

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """Return until when the session can go on."""
        usual = super().get_expiry_date(**kwargs)
        end = self.get(ENDS_AT)
        return usual if end is None else min(usual, datetime.fromtimestamp(end, UTC))

    def say_ended(self) -> bool:
        """Let the cache say that the session is over; False when it does not answer."""
        try:
            cache.set(self._place(), _ENDED, settings.SESSION_COOKIE_AGE)
        except RedisError as error:
            _log.warning("session_not_cached", error=str(error))
            return False
        return True

    def _load_from_database(self) -> dict[str, Any]:
        row = self._get_session_from_db()  # type: ignore[attr-defined]  # not in the stubs
        if row is None:
            return {}
        data: dict[str, Any] = self.decode(row.session_data)
        seconds = _seconds_until(row.expire_date.timestamp())
        try:
            # Only where there is none: the session may have been ended since it was read.
            cache.add(self._place(), self.encode(data), seconds)
        except RedisError as error:
            _log.warning("session_not_cached", error=str(error))
        return data

    def _keep_now(self) -> bool:
        """Put what is known now into the cache; False when it is over, or nothing answers."""
        if self.session_key is None:
            return False
        data = self._get_session(no_load=True)  # type: ignore[attr-defined]  # not in the stubs
        try:
            return bank_cache().set_unless(
                self._place(), self.encode(data), mark=_ENDED, timeout=self.get_expiry_age()
            )
        except RedisError as error:
            _log.warning("session_not_cached", error=str(error))
            return False

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


def end_left_over() -> None:
    """End in the database, too, what was ended while it was silent."""
    try:
        for sealed in bank_cache().collected(_LEFT_OVER):
            _end_sealed(sealed)
            bank_cache().drop(_LEFT_OVER, sealed)
    except RedisError:
        # They stay collected.
        return


def _end_sealed(sealed: str) -> None:
    try:
        key = unseal(sealed, purpose=_LEFT_OVER)
    except InvalidToken:
        # Written by somebody else, or under a key that the bank has forgotten since.
        _log.warning("left_over_session_unreadable")
    else:
        _end(key)


def _end(key: str) -> None:
    """Forget what is kept under a key, and note that who was logged in under it is no more."""
    going_on = Session.objects.filter(session_key=key, ended_at=None)
    with transaction.atomic():
        KeptSession.objects.filter(session_key=key).delete()
        ended = list(going_on.values_list("pk", flat=True))
        Session.objects.filter(pk__in=ended).update(ended_at=Now())
    for one in ended:
        sessions.tell(str(one))


def _is_left_over(key: str) -> bool:
    """Leave it to the watch to end a session in the database; False when nobody can tell it."""
    try:
        # Sealed: while the database knows nothing of the end, the key still lets its bearer in.
        bank_cache().collect(_LEFT_OVER, seal(key, purpose=_LEFT_OVER))
    except RedisError:
        return False
    return True


def _is_over(data: dict[str, Any]) -> bool:
    """Tell whether a session of somebody who logged in has come to its end, or was left alone."""
    if IN_SESSION not in data:
        return False
    left_alone = USED_AT in data and not _seconds_until(data[USED_AT] + IDLE_SECONDS)
    return left_alone or not _seconds_until(data.get(ENDS_AT, 0))


def _seconds_until(end: float) -> int:
    return max(ceil(end - clock.now().timestamp()), 0)


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
