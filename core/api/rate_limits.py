"""How many requests a caller may send: counted in Valkey, for all workers together.

Known callers are counted by who they are, others by their address. This keeps one caller's mistake
from becoming everybody's wait; the log-in door has a guard of its own. While Valkey is away nothing
is counted, and requests pass.

A process counts in lots: it asks Valkey for a hundredth of what a caller may send, and for the next
when that is used up. Who goes on to the end in several processes may so send a few more.
"""

from dataclasses import dataclass, replace
from functools import cache
from math import ceil
from threading import Lock
from time import monotonic, time
from typing import Any, Final

import redis
from django.conf import settings
from django.http import HttpResponse
from redis.exceptions import RedisError

WINDOW_SECONDS: Final = 10
ANONYMOUS_SHARE: Final = 10
"""An address that nobody has logged in from may send one in so many of what a caller may."""

_PATIENCE_SECONDS: Final = 0.25
_SECONDS_BEFORE_ASKING_AGAIN: Final = 1.0
# One step: a counter that its reader forgot to let expire would count for ever.
_COUNT: Final = """
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
if count == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return count
"""
_LOTS: Final = 100
_MOST_REMEMBERED: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a caller may send in this window, and what is left of it."""

    policy: str
    most: int
    left: int
    seconds: int

    @property
    def is_exceeded(self) -> bool:
        """Tell whether this request was one too many."""
        return self.left < 0

    def tell(self, answer: HttpResponse) -> None:
        """Write the headers of the IETF draft ``ratelimit-headers``."""
        answer["RateLimit-Policy"] = f'"{self.policy}";q={self.most};w={WINDOW_SECONDS}'
        answer["RateLimit"] = f'"{self.policy}";r={max(self.left, 0)};t={self.seconds}'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lot:
    """Requests of a window, from ``first`` to ``last``, that are counted in Valkey already.

    ``number`` is the last one used.
    """

    window: int
    first: int
    number: int
    last: int


class Counter:
    """Counts in Valkey, in lots; after a failure it leaves Valkey alone for a second."""

    def __init__(self, url: str) -> None:
        self._count: Any = redis.Redis.from_url(
            url, socket_connect_timeout=_PATIENCE_SECONDS, socket_timeout=_PATIENCE_SECONDS
        ).register_script(_COUNT)
        self._silent_until = 0.0
        self._lots: dict[str, _Lot] = {}
        self._lock = Lock()

    def count(self, whom: str, *, window: int, most: int) -> int | None:
        """Return the number of this request in its window; None when nobody can tell.

        Of a lot that begins within ``most`` all requests do.
        """
        size = max(most // _LOTS, 1)
        lot = self._lot(whom, window) or self._take(whom, window, size)
        if lot is None:
            return None
        return min(lot.number, most) if lot.first <= most else lot.number

    def _lot(self, whom: str, window: int) -> _Lot | None:
        """Return the lot of a window with one request of it used, if there is one left."""
        with self._lock:
            lot = self._lots.get(whom)
            if lot is None or lot.window != window or lot.number == lot.last:
                return None
            lot = replace(lot, number=lot.number + 1)
            self._lots[whom] = lot
            return lot

    def _take(self, whom: str, window: int, size: int) -> _Lot | None:
        """Get the next lot from Valkey, with one request of it used."""
        if monotonic() < self._silent_until:
            return None
        try:
            last = int(self._count(keys=[f"rate:{whom}:{window}"], args=[size, 2 * WINDOW_SECONDS]))
        except RedisError:
            self._silent_until = monotonic() + _SECONDS_BEFORE_ASKING_AGAIN
            return None
        first = last - size + 1
        lot = _Lot(window=window, first=first, number=first, last=last)
        with self._lock:
            if len(self._lots) >= _MOST_REMEMBERED:
                self._lots.clear()
            self._lots[whom] = lot
        return lot


def count_caller(pk: int) -> Allowance | None:
    """Count a request of somebody who is known; None when nobody can count."""
    return _counted("caller", str(pk), most=settings.API_RATE_LIMIT)


def count_address(address: str) -> Allowance | None:
    """Count a request of somebody unknown; None when nobody can count."""
    return _counted("address", address, most=ceil(settings.API_RATE_LIMIT / ANONYMOUS_SHARE))


def _counted(policy: str, whom: str, *, most: int) -> Allowance | None:
    window, passed = divmod(time(), WINDOW_SECONDS)
    counter = _counter(settings.REDIS_URL)
    count = counter.count(f"{policy}:{whom}", window=int(window), most=most)
    if count is None:
        return None
    seconds = ceil(WINDOW_SECONDS - passed)
    return Allowance(policy=policy, most=most, left=most - count, seconds=seconds)


@cache
def _counter(url: str) -> Counter:
    return Counter(url)
