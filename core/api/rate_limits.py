"""How many requests a caller may send: counted in Valkey, for all workers together.

Known callers are counted by who they are, others by their address. This keeps one caller's mistake
from becoming everybody's wait; the log-in door has a guard of its own. While Valkey is away nothing
is counted, and requests pass.
"""

from dataclasses import dataclass
from functools import cache
from math import ceil
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
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""


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


class _Counter:
    """Counts in Valkey; after a failure it leaves Valkey alone for a second."""

    def __init__(self, url: str) -> None:
        self._count: Any = redis.Redis.from_url(
            url, socket_connect_timeout=_PATIENCE_SECONDS, socket_timeout=_PATIENCE_SECONDS
        ).register_script(_COUNT)
        self._silent_until = 0.0

    def count(self, key: str) -> int | None:
        """Return how many requests there were under ``key``; None when nobody can tell."""
        if monotonic() < self._silent_until:
            return None
        try:
            return int(self._count(keys=[key], args=[2 * WINDOW_SECONDS]))
        except RedisError:
            self._silent_until = monotonic() + _SECONDS_BEFORE_ASKING_AGAIN
            return None


def count_caller(pk: int) -> Allowance | None:
    """Count a request of somebody who is known; None when nobody can count."""
    return _counted("caller", str(pk), most=settings.API_RATE_LIMIT)


def count_address(address: str) -> Allowance | None:
    """Count a request of somebody unknown; None when nobody can count."""
    return _counted("address", address, most=ceil(settings.API_RATE_LIMIT / ANONYMOUS_SHARE))


def _counted(policy: str, whom: str, *, most: int) -> Allowance | None:
    window, passed = divmod(time(), WINDOW_SECONDS)
    count = _counter(settings.REDIS_URL).count(f"rate:{policy}:{whom}:{window:.0f}")
    if count is None:
        return None
    seconds = ceil(WINDOW_SECONDS - passed)
    return Allowance(policy=policy, most=most, left=most - count, seconds=seconds)


@cache
def _counter(url: str) -> _Counter:
    return _Counter(url)
