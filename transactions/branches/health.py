"""How the bank's nodes are: who answers, at which release and schema, and what is left to do."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from django.db import connections
from psycopg import errors
from psycopg.rows import namedtuple_row

from core.db.aliases import REPLICA
from core.db.fitness import known_migrations
from core.db.sql import queries
from transactions.branches import registry
from transactions.branches.belonging import code_of
from transactions.branches.directory import connect

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "health.sql")
_UNREADABLE: Final = (errors.UndefinedTable, errors.InvalidSchemaName, errors.InsufficientPrivilege)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How one node is. What could not be learnt is None; ``reason`` says why it is down.

    ``latency_ms`` is how long it took to answer. The schema is *current*, *older* or *newer* than
    the code. ``prepared`` counts transactions of the node that are prepared, slots are those of its
    server. ``lag_seconds`` is how long ago its copy on the replica last heard of it: hardly more
    than the second between two beats, while all is well. ``is_received`` tells whether its log is,
    as a backup; None where it keeps none for that.
    """

    node: str
    code: str
    is_up: bool
    reason: str | None = None
    latency_ms: float | None = None
    version: str | None = None
    schema: str | None = None
    lag_seconds: float | None = None
    prepared: int | None = None
    oldest_prepared_seconds: float | None = None
    prepared_slots_used: int | None = None
    prepared_slots_max: int | None = None
    retained_wal_bytes: int | None = None
    is_received: bool | None = None
    beat_at: datetime | None = None
    swept_at: datetime | None = None


def look_at_nodes() -> list[Health]:
    """Ask every node, and the replica, at once; whoever is silent for two seconds is down."""
    replica = [REPLICA] if REPLICA in connections else []
    asked = [*registry.nodes(), *replica]
    known = known_migrations()
    with ThreadPoolExecutor(len(asked)) as several:
        copied = several.submit(_lags_on_replica) if replica else None
        found = list(several.map(lambda node: _look_at(node, known), asked))
        lags = copied.result() if copied else {}
    return [
        replace(health, lag_seconds=lags.get(health.node)) if health.is_up else health
        for health in found
    ]


def _look_at(node: str, known: set[tuple[str, str]]) -> Health:
    code = code_of(node)
    try:
        with connect(node) as connection:
            begin = time.perf_counter()
            server = connection.cursor(row_factory=namedtuple_row).execute(_QUERIES["server"])
            row: Any = server.fetchone()
            latency_ms = (time.perf_counter() - begin) * 1_000
            migrations = _if_readable(lambda: connection.execute(_QUERIES["migrations"]).fetchall())
            pulse = _if_readable(lambda: connection.execute(_QUERIES["pulse"], [node]).fetchone())
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        return Health(node=node, code=code, is_up=False, reason=reason)
    beat_at, swept_at = pulse or (None, None)
    return Health(
        node=node,
        code=code,
        is_up=True,
        latency_ms=latency_ms,
        version=row.version.split()[0],
        schema=None if migrations is None else _age(set(migrations), known),
        prepared=row.prepared,
        oldest_prepared_seconds=row.oldest_seconds,
        prepared_slots_used=row.slots_used,
        prepared_slots_max=row.slots_max,
        retained_wal_bytes=row.retained_bytes,
        is_received=row.is_received,
        beat_at=beat_at,
        swept_at=swept_at,
    )


def _if_readable(read: Callable[[], Any]) -> Any:
    """Return what is read; None where an older schema, or the role, does not have it."""
    try:
        return read()
    except _UNREADABLE:
        return None


def _age(applied: set[tuple[str, str]], known: set[tuple[str, str]]) -> str:
    if applied - known:
        return "newer"
    return "older" if known - applied else "current"


def _lags_on_replica() -> dict[str, float]:
    try:
        with connect(REPLICA) as connection:
            return dict(connection.execute(_QUERIES["copied"]).fetchall())
    except psycopg.Error:
        return {}
