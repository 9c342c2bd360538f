"""The operation log: all that was posted and all that was done to accounts, newest first.

Read from the replica while that is fresh, else from each node in turn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from accounts.selectors import people_named
from core.db.aliases import REPLICA
from core.db.reading import read_on
from core.db.sql import queries
from core.money import Money
from transactions.branches.asking import ask_everywhere, ask_head_office, read_everywhere
from transactions.branches.registry import nodes
from transactions.ledger.connection import ledger_cursor
from transactions.ledger.posting import BANK_CLIENT, Channel, Kind
from transactions.ledger.reads import LAST_ID

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "operations.sql")
_CHUNK: Final = 1_000
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)


class Action(StrEnum):
    """What is done to accounts, apart from postings."""

    OPEN = "open"
    SET_HOLDER = "set_holder"
    SET_STATUS = "set_status"
    SET_LIMITS = "set_limits"
    SET_PAYEE_LIMIT = "set_payee_limit"
    HAND_OVER = "hand_over"
    TAKE_OVER = "take_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFilter:
    """Which operations: all that is None is left open. ``what`` is a kind or an action.

    ``since`` and ``until`` are of the recording: from the one to just before the other. With
    ``postings_only`` what was done to accounts is left out.
    """

    account: int | None = None
    node: str | None = None
    what: str | None = None
    channel: Channel | None = None
    since: datetime | None = None
    until: datetime | None = None
    postings_only: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One line of the log. Of a posting ``account`` is debited; what an event has not is None."""

    operation_id: UUID
    recorded_at: datetime
    node: str
    what: str
    channel: str | None
    account: int
    counterparty: int | None
    amount: Money | None
    client: int
    client_user_id: int | None
    client_name: str
    words: str
    event_at: datetime | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPage:
    """A page of the log; ``older`` is where the next begins."""

    operations: Sequence[Operation]
    older: UUID | None


def operations(wanted: OperationFilter, *, before: UUID | None, limit: int) -> OperationPage:
    """Return up to ``limit`` operations older than ``before``, of all nodes that answer."""
    found = ask_everywhere(
        lambda source: (
            _read(source, wanted, before or LAST_ID, limit + 1) if _may_have(source, wanted) else []
        )
    )
    found.sort(key=_id, reverse=True)
    page = found[:limit]
    older = page[-1].id if len(found) > limit else None
    return OperationPage(operations=_operations(page), older=older)


def all_operations(wanted: OperationFilter) -> Iterator[Operation]:
    """Yield all operations, newest first, read piece by piece.

    Raises:
        BranchDown: at once, when a node that may have some does not answer.
    """
    homes = [node for node in nodes() if _may_have(node, wanted)]
    rows = read_everywhere(lambda source: _all_rows(source, wanted), homes, newest_by=_id)
    return read_on(_named(rows))


def _may_have(source: str, wanted: OperationFilter) -> bool:
    return wanted.node in {None, source} or source == REPLICA


def _named(rows: Iterator[Any]) -> Iterator[Operation]:
    """Make operations of rows, and look up who did them piece by piece."""
    piece = []
    for row in rows:
        piece.append(row)
        if len(piece) == _CHUNK:
            yield from _operations(piece)
            piece = []
    yield from _operations(piece)


def _all_rows(source: str, wanted: OperationFilter) -> Iterator[Any]:
    before = LAST_ID
    while rows := _read(source, wanted, before, _CHUNK):
        yield from rows
        before = rows[-1].id


def _read(source: str, wanted: OperationFilter, before: UUID, limit: int) -> list[Any]:
    parameters = {
        **asdict(wanted),
        "since": wanted.since or _BEGINNING,
        "until": wanted.until or _END,
        "before": before,
        "before_at": _just_after(before),
        "limit": limit,
    }
    with ledger_cursor(source) as cursor:
        # Planned anew each time: what is left open decides about the way.
        return cursor.execute(_query(source), parameters, prepare=False).fetchall()


def _just_after(operation_id: UUID) -> datetime:
    """Return an instant after the time of an id, by a millisecond at most."""
    milliseconds = (operation_id.int >> 80) + 1
    return _BEGINNING + min(timedelta(milliseconds=milliseconds), _END - _BEGINNING)


@cache
def _query(source: str) -> sql.Composed:
    """Return the query as it reads from a database; the replica's rows tell their node."""
    is_copy = source == REPLICA
    return sql.SQL(_QUERIES["operations"]).format(
        journal_node=sql.Identifier("j", "node") if is_copy else sql.Literal(source),
        event_node=sql.Identifier("e", "node") if is_copy else sql.Literal(source),
    )


def _operations(rows: Sequence[Any]) -> list[Operation]:
    clients = {row.client for row in rows} - {BANK_CLIENT}
    people = ask_head_office(lambda node: people_named(clients, using=node)) or {}
    return [
        Operation(
            operation_id=row.id,
            recorded_at=row.recorded_at,
            node=row.node,
            what=row.what,
            channel=row.channel,
            account=row.account,
            counterparty=row.counterparty,
            amount=None if row.amount is None else Money(row.amount, row.currency),
            client=row.client,
            client_user_id=people[row.client].number if row.client in people else None,
            client_name=people[row.client].full_name if row.client in people else "",
            words=row.words or "",
            event_at=row.event_at,
            details=row.details or {},
        )
        for row in rows
    ]


def _id(row: Any) -> UUID:
    found: UUID = row.id
    return found


WHATS: Final = (*Kind, *Action)
"""All that can be asked for as ``what``."""
