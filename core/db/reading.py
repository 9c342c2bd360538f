"""From where a request reads: the primaries, or the replica when it is fresh enough for it.

The middleware says what a request may do and what it must not be older than; whoever reads asks
``source``. The replica is taken when the request only looks, no transaction is open, nothing was
written meanwhile, every node's copy is whole and less than ``MOST_LAG_SECONDS`` behind, and has all
that the request's positions ask for. Outside a request, primaries are read.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

import structlog
from django.db import DatabaseError, connections

from core.db.aliases import REPLICA, primaries

MOST_LAG_SECONDS: Final = 5.0
# What no copy will ever have: whoever must not be older than this reads the primaries.
NEVER: Final = (1 << 64) - 1

Positions = Mapping[str, int]
Row = TypeVar("Row")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """How far the copy of a node has come: its position in the node's log, the last heartbeat."""

    is_whole: bool
    position: int
    heard_at: datetime | None
    lag: float


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a request may read, and what came of it."""

    may_use_replica: bool
    positions: Positions = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    as_of: datetime | None = None
    silent: list[str] = field(default_factory=list)


_reading: ContextVar[Reading | None] = ContextVar("reading", default=None)
_copies: Callable[[], Mapping[str, Copy]] = dict


def copies_known_by(copies: Callable[[], Mapping[str, Copy]]) -> None:
    """Register who knows how far the nodes' copies have come, and answers at once."""
    global _copies  # noqa: PLW0603  # written once, at the start
    _copies = copies


@contextmanager
def reading(*, may_use_replica: bool, positions: Positions) -> Iterator[Reading]:
    """Say for the length of the block what may be read and what it must not be older than."""
    current = Reading(may_use_replica=may_use_replica, positions=positions)
    token = _reading.set(current)
    try:
        yield current
    finally:
        _reading.reset(token)


def read_on(rows: Iterator[Row]) -> Iterator[Row]:
    """Return rows, each to be read as the request under way reads, also while its answer is sent.

    By then the request's own block is over: without this, what is looked up for the rows would be
    asked of the primaries.
    """
    return _read_as(_reading.get(), rows)


def _read_as(current: Reading | None, rows: Iterator[Row]) -> Iterator[Row]:
    while True:
        token = _reading.set(current)
        try:
            row = next(rows)
        except StopIteration:
            return
        finally:
            _reading.reset(token)
        yield row


def current_reading() -> Reading | None:
    """Return what is said of the request under way; None outside any."""
    return _reading.get()


def source() -> str | None:
    """Return the alias to read from, or None: ask the primaries.

    A request that has begun with the replica goes on with it, or gives it up for good.
    """
    current = _reading.get()
    if current is None or not current.may_use_replica or REPLICA not in connections:
        return None
    if any(connections[alias].in_atomic_block for alias in primaries()):
        return None
    if current.as_of is None:
        current.as_of = _fresh_enough(current.positions)
        current.may_use_replica = current.as_of is not None
    return REPLICA if current.may_use_replica else None


def give_up_replica(error: Exception) -> None:
    """Read the primaries for the rest of the request: the replica failed."""
    _log.warning("replica_given_up", error=" ".join(str(error).split()))
    current = _reading.get()
    if current is not None:
        current.may_use_replica, current.as_of = False, None


def note_used(*aliases: str) -> None:
    """Note that the request works on nodes: what it writes there, later ones must see."""
    current = _reading.get()
    if current is not None:
        current.used.update(aliases)


def note_silent(alias: str) -> None:
    """Note that a node does not answer, so that the page can say what it does not show."""
    current = _reading.get()
    if current is not None and alias not in current.silent:
        current.silent.append(alias)


def silent_nodes() -> list[str]:
    """Return the nodes that did not answer the request under way."""
    current = _reading.get()
    return [] if current is None else current.silent


def positions_now(aliases: set[str]) -> dict[str, int]:
    """Return where the logs of nodes end; all that is committed there lies before.

    A node that falls silent may have committed something: no copy is new enough for it.
    """
    found = {}
    for alias in aliases - {REPLICA}:
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
                (lsn,) = cursor.fetchone()
        except DatabaseError:
            found[alias] = NEVER
        else:
            found[alias] = position_of(lsn)
    return found


def position_of(lsn: str | None) -> int:
    """Return a log position as a number; 0 for none."""
    high, _, low = (lsn or "0/0").partition("/")
    return int(high, 16) << 32 | int(low, 16)


def _fresh_enough(positions: Positions) -> datetime | None:
    """Return the instant that the replica shows at least; None when it is not fresh enough."""
    copies = _copies()
    heard = []
    for alias in {*primaries(), *positions}:
        copy = copies.get(alias)
        if copy is None or not copy.is_whole or copy.heard_at is None:
            return None
        if copy.lag > MOST_LAG_SECONDS or copy.position < positions.get(alias, 0):
            return None
        heard.append(copy.heard_at)
    return min(heard)
