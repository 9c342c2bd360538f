"""Settling what is in doubt: transactions that were prepared and not yet committed or rolled back.

The name of a prepared transaction says where it is decided. The sweep asks there, having given the
attempt up for lost first, so that it is decided from then on: a coordinator that is still at it
either commits before the sweep's word, which waits for that, or cannot commit any more. So the age
of a transaction does not matter for what is right. Only transactions of our own are looked at.
"""

import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

import psycopg
import structlog
from psycopg import errors

from core.db.sql import queries
from transactions.branches.outcomes import OutcomeUnknown
from transactions.branches.registry import nodes
from transactions.branches.wire import Answer, Line, say

OLDER_THAN_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 2.0
MOST_AT_ONCE: Final = 8
QUERIES: Final = queries(Path(__file__).parent / "sql" / "recovery.sql")

_GID: Final = re.compile(
    r"bank:v1:(?P<source>[A-Za-z0-9]+):(?P<destination>[A-Za-z0-9]+)"
    r":(?P<id>[0-9a-f-]{36}):(?P<attempt>\d+)"
)
_LASTING: Final = ("lasting", ())
_log = structlog.get_logger(__name__)

Decision = Literal["committed", "aborted"]


class _SilentError(Exception):
    """A node did not answer."""

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.node = node


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
        with suppress(_SilentError):
            decision = _decided(source, crossing, attempt)
            if decision is not None:
                return decision
        if time.monotonic() > deadline:
            return None
        time.sleep(0.05)


def _decided(source: str, crossing: UUID, attempt: int) -> Decision | None:
    """Give an attempt up for lost unless it is decided; None when its coordinator is still at it.

    Raises:
        _SilentError: the source does not answer.
    """
    # The second statement reads what the first waited for, and could not see.
    which = (crossing, attempt)
    answer = _ask(source, ("fence", which), _LASTING, ("decision", which))
    if answer.is_lost:
        raise _SilentError(source)
    if answer.is_good and answer.row == ("committed",):
        return "committed"
    if answer.is_good and answer.row == ("aborted",):
        return "aborted"
    return None


def refuse_unlasting(source: str) -> None:
    """Check that what was read on a node outlives its server: its standbys have it.

    Raises:
        OutcomeUnknown: they do not tell.
    """
    if not _ask(source, _LASTING).is_good:
        raise OutcomeUnknown


def has_arrived(source: str, transfer_id: UUID) -> bool:
    """Tell whether the payee's side of a transfer, or of a batch by its first one, is committed.

    True of one that stayed on its node; False when one of the two nodes does not answer.
    """
    sent = _ask(source, ("sent", (transfer_id,)))
    if not sent.is_good:
        return False
    if not sent.row:
        return True
    crossing, attempt, destination = sent.row
    return bool(_arrived(str(destination), UUID(crossing), int(str(attempt))))


def is_settled(node: str, crossing: UUID, attempt: int) -> bool:
    """Tell whether a destination has committed an attempt; False when it does not answer."""
    return bool(_arrived(node, crossing, attempt))


def _arrived(node: str, crossing: UUID, attempt: int) -> bool | None:
    """Tell whether a destination has committed an attempt; None when it does not answer."""
    answer = _ask(node, ("arrived", (crossing, attempt)))
    return bool(answer.row) if answer.is_good else None


def sweep(*, older_than: float = OLDER_THAN_SECONDS) -> Swept:
    """Settle on all nodes what is in doubt for longer than ``older_than`` seconds.

    Safe to run at any time, and twice at once.
    """
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        swept = [
            part.result()
            for part in [
                pool.submit(sweep_node, node=node, older_than=older_than) for node in nodes()
            ]
        ]
    return Swept(
        sum(part.committed for part in swept),
        sum(part.rolled_back for part in swept),
        tuple(gid for part in swept for gid in part.left),
    )


def sweep_node(*, node: str, older_than: float = OLDER_THAN_SECONDS) -> Swept:
    """Settle what is in doubt on one node; who is silent is waited for once.

    What a coordinator is still at keeps nothing else waiting.
    """
    decisions: list[Decision] = []
    left: list[str] = []
    silent: set[str] = set()
    for doubt in _in_doubt_on(node, older_than) or ():
        decision = None
        if silent.isdisjoint((doubt.source, node)):
            try:
                decision = _settle(doubt)
            except _SilentError as silence:
                silent.add(silence.node)
        if decision is None:
            left.append(doubt.gid)
        else:
            decisions.append(decision)
    return Swept(decisions.count("committed"), decisions.count("aborted"), tuple(left))


def settle_decided(*, node: str) -> list[str]:
    """Commit what is prepared on a node and decided at its source; return what may be left.

    Gives nothing up for lost: what is not decided yet is left alone.
    """
    found = _in_doubt_on(node, 0)
    if found is None:
        return [node]
    return [doubt.gid for doubt in found if not _is_settled_as_decided(doubt)]


def _is_settled_as_decided(doubt: InDoubt) -> bool:
    if not _is_of_known_node(doubt):
        return False
    decided = _ask(doubt.source, _LASTING, ("decision", (doubt.id, doubt.attempt)))
    # No answer is no decision, and no complaint is one either.
    if not decided.is_good:
        return False
    if decided.row != ("committed",):
        return True
    with suppress(_SilentError):
        return _end(doubt, "committed") is not None
    return False


def _in_doubt_on(node: str, older_than: float) -> list[InDoubt] | None:
    """Return what is in doubt on a node; None when it cannot be asked."""
    answer = _ask(node, ("swept", (node,)), ("in_doubt", (older_than,)))
    if not answer.is_good:
        _log.warning("node_not_swept", node=node)
        return None
    found = [_parsed(gid, node) for gid in (answer.row[0] or "").split()]
    return [doubt for doubt in found if doubt is not None]


def _parsed(gid: str, node: str) -> InDoubt | None:
    """Read the name of a prepared transaction; None when it is none of ours."""
    match = _GID.fullmatch(gid)
    if match is None or match["destination"] != node:
        return None
    return InDoubt(gid, node, match["source"], UUID(match["id"]), int(match["attempt"]))


def _is_of_known_node(doubt: InDoubt) -> bool:
    if doubt.source in nodes():
        return True
    _log.error("prepared_by_an_unknown_node", gid=doubt.gid, node=doubt.node)
    return False


def _settle(doubt: InDoubt) -> Decision | None:
    """End a prepared transaction as its source decides; None when it may not, or could not be.

    Raises:
        _SilentError: its source or its own node does not answer.
    """
    if not _is_of_known_node(doubt):
        return None
    decision = _decided(doubt.source, doubt.id, doubt.attempt)
    return None if decision is None else _end(doubt, decision)


def _end(doubt: InDoubt, decision: Decision) -> Decision | None:
    """End a prepared transaction as decided; None when it could not be.

    Raises:
        _SilentError: its node does not answer.
    """
    answer = _ask(doubt.node, (decision, (doubt.gid,)))
    if answer.is_good:
        _log.info("settled", gid=doubt.gid, decision=decision)
        return decision
    if isinstance(answer.complaint, errors.UndefinedObject):
        return decision if _has_ended(doubt, decision) else None
    _log.warning("not_settled", gid=doubt.gid, error=str(answer.complaint or "no answer"))
    if answer.is_lost:
        raise _SilentError(doubt.node)
    return None


def _has_ended(doubt: InDoubt, decision: Decision) -> bool:
    """Tell whether what is gone has ended as decided; somebody else was faster, then."""
    has_arrived_there = _arrived(doubt.node, doubt.id, doubt.attempt)
    is_as_decided = has_arrived_there == (decision == "committed")
    if has_arrived_there is not None and not is_as_decided:
        _log.error("ended_against_its_decision", gid=doubt.gid, decision=decision)
    return is_as_decided


def _ask(node: str, *statements: tuple[str, Sequence[Any]]) -> Answer:
    """Send a node named statements with their parameters, as one message."""
    try:
        line = Line(node)
    except psycopg.OperationalError:
        return Answer(is_lost=True)
    try:
        texts = [line.text(QUERIES[name], parameters) for name, parameters in statements]
        return say(line, "; ".join(texts), seconds=ANSWER_SECONDS)
    finally:
        line.put_back()
