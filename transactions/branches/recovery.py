"""Settling what is in doubt: transactions that were prepared and not yet committed or rolled back.

The name of a prepared transaction says where it is decided. The sweep asks there, having given the
attempt up for lost first, so that it is decided from then on: a coordinator that is still at it
either commits before the sweep's word, which waits for that, or cannot commit any more. So the age
of a transaction does not matter for what is right. Only transactions of our own are looked at.
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import psycopg
import structlog
from psycopg import errors, sql

from core.db.sql import queries
from transactions.branches.directory import connect
from transactions.branches.registry import nodes

OLDER_THAN_SECONDS: Final = 1.0
QUERIES: Final = queries(Path(__file__).parent / "sql" / "recovery.sql")

_GID: Final = re.compile(
    r"bank:v1:(?P<source>[A-Za-z0-9]+):(?P<destination>[A-Za-z0-9]+)"
    r":(?P<id>[0-9a-f-]{36}):(?P<attempt>\d+)"
)
_log = structlog.get_logger(__name__)

Decision = Literal["committed", "aborted"]

_FINISH: Final[dict[Decision, sql.SQL]] = {
    "committed": sql.SQL("COMMIT PREPARED {}"),
    "aborted": sql.SQL("ROLLBACK PREPARED {}"),
}


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A prepared transaction of ours on a node, and where it is decided."""

    gid: str
    node: str
    source: str
    id: UUID
    attempt: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did: how many it committed and rolled back, and what is still in doubt."""

    committed: int = 0
    rolled_back: int = 0
    left: tuple[str, ...] = ()


def gid_of(source: str, destination: str, crossing: UUID, attempt: int) -> str:
    """Return the name under which a crossing is prepared at its destination."""
    return f"bank:v1:{source}:{destination}:{crossing}:{attempt}"


def outcome_of(source: str, crossing: UUID, attempt: int, *, seconds: float) -> Decision | None:
    """Give an attempt up for lost unless it is decided, and return the decision that stands.

    None when the source did not answer within ``seconds``, or the coordinator is still at it: then
    nothing is known.
    """
    deadline = time.monotonic() + seconds
    while True:
        try:
            with connect(source) as node:
                return _decision(node, crossing, attempt)
        except (psycopg.OperationalError, errors.LockNotAvailable):
            if time.monotonic() > deadline:
                return None
            time.sleep(0.05)


def _decision(node: psycopg.Connection, crossing: UUID, attempt: int) -> Decision:
    node.execute("SET lock_timeout = '500ms'; SET statement_timeout = '3s'")
    parameters = {"id": crossing, "attempt": attempt}
    # Two statements: the first waits for whoever is still at it, and cannot see what they did.
    node.execute(QUERIES["fence"], parameters)
    row = node.execute(QUERIES["decision"], parameters).fetchone()
    if row is None:
        message = f"no decision of attempt {attempt} at {crossing}, and none could be made"
        raise AssertionError(message)
    decision: Decision = row[0]
    return decision


def sweep(*, older_than: float = OLDER_THAN_SECONDS) -> Swept:
    """Settle on all nodes what is in doubt for longer than ``older_than`` seconds.

    Safe to run at any time, and twice at once. A node that does not answer waits for the next time.
    """
    committed, rolled_back, left = 0, 0, []
    for node in nodes():
        for doubt in _in_doubt_on(node, older_than):
            decision = _settle(doubt)
            committed += decision == "committed"
            rolled_back += decision == "aborted"
            if decision is None:
                left.append(doubt.gid)
    return Swept(committed, rolled_back, tuple(left))


def _in_doubt_on(node: str, older_than: float) -> list[InDoubt]:
    try:
        with connect(node) as connection:
            rows = connection.execute(QUERIES["in_doubt"], {"seconds": older_than}).fetchall()
            connection.execute(QUERIES["swept"], {"node": node})
    except psycopg.OperationalError as error:
        _log.warning("node_not_swept", node=node, error=" ".join(str(error).split()))
        return []
    found = [_parsed(gid, node) for (gid,) in rows]
    return [doubt for doubt in found if doubt is not None]


def _parsed(gid: str, node: str) -> InDoubt | None:
    """Read the name of a prepared transaction; None when it is none of ours."""
    match = _GID.fullmatch(gid)
    if match is None or match["destination"] != node:
        return None
    return InDoubt(gid, node, match["source"], UUID(match["id"]), int(match["attempt"]))


def _settle(doubt: InDoubt) -> Decision | None:
    if doubt.source not in nodes():
        _log.error("prepared_by_an_unknown_node", gid=doubt.gid, node=doubt.node)
        return None
    decision = outcome_of(doubt.source, doubt.id, doubt.attempt, seconds=0)
    if decision is None:
        return None
    try:
        with connect(doubt.node) as node:
            node.execute(_FINISH[decision].format(sql.Literal(doubt.gid)))
            _log.info("settled", gid=doubt.gid, decision=decision)
    except errors.UndefinedObject:
        _confirm(doubt, decision)
    except (psycopg.OperationalError, errors.ObjectInUse) as error:
        _log.warning("not_settled", gid=doubt.gid, error=" ".join(str(error).split()))
        return None
    return decision


def _confirm(doubt: InDoubt, decision: Decision) -> None:
    """Look whether what is gone has ended as decided; somebody else was faster, then."""
    with connect(doubt.node) as node:
        arrived = node.execute(QUERIES["arrived"], {"id": doubt.id}).fetchone() is not None
    if arrived != (decision == "committed"):
        _log.error("ended_against_its_decision", gid=doubt.gid, decision=decision, arrived=arrived)
