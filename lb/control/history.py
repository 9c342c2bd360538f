"""What the data planes measured over the last minutes: kept in the cache, for pictures of it."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final

from django.core.cache import cache
from redis.exceptions import RedisError

from lb.control.figures import Figures, figures_by_backend

PERIOD_SECONDS: Final = 10
KEPT_SECONDS: Final = 600

_Note = Mapping[str, tuple[int, int, dict[float, int]]]


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened at each backend, by its name, since the moment before."""

    at: datetime
    figures: Mapping[str, Figures]

    @property
    def requests(self) -> int:
        """Return how many answers all backends gave."""
        return sum(one.requests for one in self.figures.values())

    def share(self, name: str) -> float | None:
        """Return which percentage of the answers one gave; None when nobody asked."""
        found = self.figures.get(name)
        return 100 * found.requests / self.requests if found and self.requests else None

    def p99(self, name: str) -> float | None:
        """Return the milliseconds that all but one of a hundred of its answers took at most."""
        found = self.figures.get(name)
        return found.milliseconds(0.99) if found else None


class Notes:
    """Notes of one process, of which the first for each few seconds counts."""

    def __init__(self) -> None:
        self._noted = 0

    def note(self, now: datetime) -> None:
        """Keep what is measured now. Without a cache there is no history, and nothing else."""
        number = _number(now)
        if number == self._noted:
            return
        self._noted = number
        found = {
            name: (one.requests, one.failures, dict(one.buckets))
            for name, one in figures_by_backend().items()
        }
        if found:
            with suppress(RedisError):
                cache.add(_key(number), found, KEPT_SECONDS)


def last_minutes(now: datetime) -> list[Moment]:
    """Return what happened between one note and the next, the oldest first."""
    newest = _number(now)
    keys = {_key(one): one for one in range(newest - KEPT_SECONDS // PERIOD_SECONDS, newest + 1)}
    found: Mapping[str, _Note] = {}
    with suppress(RedisError):
        found = cache.get_many(keys)
    notes = sorted((keys[key], note) for key, note in found.items())
    return [
        Moment(
            datetime.fromtimestamp(number * PERIOD_SECONDS, UTC),
            {name: _since(before.get(name), figures) for name, figures in after.items()},
        )
        for (_, before), (number, after) in pairwise(notes)
    ]


def _since(
    before: tuple[int, int, dict[float, int]] | None, after: tuple[int, int, dict[float, int]]
) -> Figures:
    """Return the difference; a data plane that began anew counts from nothing."""
    requests, failures, buckets = after
    if before is None or before[0] > requests:
        before = (0, 0, {})
    counts = {bound: count - before[2].get(bound, 0) for bound, count in buckets.items()}
    return Figures(
        requests=requests - before[0],
        failures=failures - before[1],
        buckets=defaultdict(int, counts),
    )


def _number(now: datetime) -> int:
    return int(now.timestamp()) // PERIOD_SECONDS


def _key(number: int) -> str:
    return f"balancer:measured:{number}"
