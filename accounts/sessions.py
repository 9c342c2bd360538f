"""Sessions: in the head office's database, with a copy in the cache that does while that is down.

Signed cookies would do, too, and could not be ended by the bank. The cache is not needed while the
database answers. A copy is signed, and found by the session key's hash: the key itself lets its
bearer in.
"""

from hashlib import sha256
from typing import Any

import structlog
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError

_SILENCE = (OperationalError, InterfaceError)

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
        return data

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  # as Django calls it
        """Save in the database and the cache; while the database is silent, in the cache alone."""
        try:
            super().save(must_create)
        except (*_SILENCE, UpdateError) as error:
            # Django calls it the same when the session was ended meanwhile.
            is_silent = isinstance(error, _SILENCE) or isinstance(error.__context__, _SILENCE)
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
        ended = SessionStore(key)
        is_noted = ended._keep({}, seconds=settings.SESSION_COOKIE_AGE)
        try:
            super().delete(key)
        except _SILENCE:
            if not is_noted:
                raise

    def _load_from_database(self) -> dict[str, Any]:
        row = self._get_session_from_db()  # type: ignore[attr-defined]  # not in the stubs
        if row is None:
            return {}
        data: dict[str, Any] = self.decode(row.session_data)
        self._keep(data, seconds=self.get_expiry_age(expiry=row.expire_date))
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
