"""The bank's cache: Valkey, and what is done while it is away."""

from collections.abc import Callable
from functools import cached_property
from time import monotonic
from typing import Any, ClassVar, Final, cast

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

AWAY_SECONDS: Final = 3.0
# What the log-in door counts: attempts, and codes that are used up.
_COUNTED: Final = "allauth"
_MOST_COUNTED: Final = 1_000_000
_SET_UNLESS: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
"""


class CacheAway(RedisError):
    """Valkey failed a moment ago and is not asked again yet."""


class _Client(RedisCacheClient):
    """Django's client, of one server, with one of redis-py: making that costs more than asking."""

    @cached_property
    def _made(self) -> Any:
        return super().get_client(write=True)

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:  # noqa: ARG002  # one server
        """Return redis-py's client."""
        return self._made


class BankCache(RedisCache):
    """Valkey. When it fails it is left alone for a while, so that a hanging one costs little.

    Meanwhile callers get a ``RedisError`` and do without. The log-in door must not: what it counts
    is counted in a table of the database, so that nobody guesses passwords faster for an outage.
    """

    _away_until: ClassVar = 0.0

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        options = {**params.get("OPTIONS", {})}
        # What is counted must not be pushed out by what else is.
        many = {**params, "OPTIONS": {"MAX_ENTRIES": _MOST_COUNTED}}
        self._fallback = DatabaseCache(options.pop("FALLBACK_TABLE"), many)
        super().__init__(server, {**params, "OPTIONS": options})
        self._class = _Client

    def add(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Keep a value unless there is one already, and tell whether it was kept."""
        return bool(self._do("add", super().add, key, value, timeout, version))

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return a value."""
        return self._do("get", super().get, key, default, version)

    def set(
        self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Keep a value."""
        self._do("set", super().set, key, value, timeout, version)

    def set_unless(self, key: Any, value: Any, *, mark: int, timeout: int) -> bool:
        """Keep a value, in one step, unless ``mark`` is kept there; tell whether it was kept."""
        return bool(self._do("set_unless", self._set_unless, key, value, mark, max(timeout, 1)))

    def collect(self, key: str, text: str) -> None:
        """Add a text to a collection, which stays until it is dropped."""
        place = self.make_and_validate_key(key)
        self._do("collect", lambda _key: self._server(place).sadd(place, text), key)

    def collected(self, key: str) -> list[str]:
        """Return the texts of a collection, in no order."""
        place = self.make_and_validate_key(key)
        found = self._do("collected", lambda _key: self._server(place).smembers(place), key)
        return [text.decode() for text in found]

    def drop(self, key: str, text: str) -> None:
        """Take a text out of a collection."""
        place = self.make_and_validate_key(key)
        self._do("drop", lambda _key: self._server(place).srem(place, text), key)

    def tally(self, key: str, name: str) -> None:
        """Count one more of a name."""
        place = self.make_and_validate_key(key)
        self._do("tally", lambda _key: self._server(place).hincrby(place, name, 1), key)

    def tallied(self, key: str) -> dict[str, int]:
        """Return the counts of all names."""
        place = self.make_and_validate_key(key)
        found = self._do("tallied", lambda _key: self._server(place).hgetall(place), key)
        return {name.decode(): int(count) for name, count in found.items()}

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Forget a value."""
        return bool(self._do("delete", super().delete, key, version))

    @classmethod
    def trust_again(cls) -> None:
        """Ask Valkey again at once."""
        BankCache._away_until = 0.0

    def _set_unless(self, key: Any, value: Any, mark: int, timeout: int) -> bool:
        place = self.make_and_validate_key(key)
        django: Any = self._cache
        kept = django._serializer.dumps(value)  # noqa: SLF001  # as Django's own client keeps it
        return bool(self._server(place).eval(_SET_UNLESS, 1, place, mark, kept, timeout))

    def _server(self, place: str) -> Any:
        return self._cache.get_client(place, write=True)

    def _do(self, name: str, ask: Callable[..., Any], key: Any, *rest: Any) -> Any:
        try:
            if monotonic() < BankCache._away_until:
                message = "it failed a moment ago"
                raise CacheAway(message)
            return ask(key, *rest)
        except RedisError as error:
            if not isinstance(error, CacheAway):
                BankCache._away_until = monotonic() + AWAY_SECONDS
            if str(key).startswith(_COUNTED):
                return getattr(self._fallback, name)(key, *rest)
            raise


def bank_cache() -> BankCache:
    """Return the bank's cache, with what Django's have not."""
    return cast("BankCache", caches["default"])
