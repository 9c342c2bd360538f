"""All transfers of the bank, newest first, whichever node has them."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.selectors import people_named
from core.db import reading
from core.db.sql import queries
from core.money import Money
from transactions.branches.asking import (
    ask_everywhere,
    ask_head_office,
    read_everywhere,
    refuse_silence_of,
)
from transactions.branches.registry import nodes
from transactions.ledger.codes import Code, Refused
from transactions.ledger.connection import ledger_cursor
from transactions.ledger.posting import BANK_CLIENT, Kind
from transactions.ledger.reads import LAST_ID
from transactions.parties import Party, parties_of

KINDS: Final = tuple(kind for kind in Kind if kind is not Kind.MOVE)
"""What transfers are for: moves of accounts are none."""

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "transfers.sql")
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)
_PIECE: Final = 500
# A state is told apart row by row: a page looks no further back for it than through so many pieces.
_MOST_PIECES: Final = 20


class TransferState(StrEnum):
    """How far a transfer is: on one node at once, or between two by two-phase commit."""

    WITHIN = "within"
    SETTLING = "settling"
    SETTLED = "settled"

    @property
    def label(self) -> str:
        """What people call it."""
        return str(_LABELS[self])


_LABELS: Final = {
    TransferState.WITHIN: _("within one branch"),
    TransferState.SETTLING: _("between branches, settling"),
    TransferState.SETTLED: _("between branches, settled"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferFilter:
    """Which transfers: all that is None is left open.

    ``since`` and ``until`` are of the recording, from the one to just before the other. ``least``
    and ``most`` are in units of whatever currency. ``branch`` is the number of a branch that opened
    one of the two accounts. ``text`` is the reference, or a part of the memo in whatever case.
    """

    since: datetime | None = None
    until: datetime | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    currency: str | None = None
    kind: str | None = None
    channel: str | None = None
    branch: int | None = None
    account: int | None = None
    state: TransferState | None = None
    hide_reversed: bool = False
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTransfer:
    """A transfer as staff see it. Balances after it are None where an account is summed."""

    transfer_id: UUID
    debit: Party
    credit: Party
    amount: Money
    debit_after: Money | None
    credit_after: Money | None
    kind: str
    channel: str
    memo: str
    reference: str
    client: int
    client_user_id: int | None
    client_name: str
    event_at: datetime
    recorded_at: datetime
    arrived_at: datetime | None
    reversed_by: UUID | None
    reverses: UUID | None
    state: TransferState


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPage:
    """A page of transfers; ``older`` is where the next begins. It may be short of a full one."""

    transfers: Sequence[FoundTransfer]
    older: UUID | None


def transfers_found(wanted: TransferFilter, *, before: UUID | None, limit: int) -> TransferPage:
    """Return up to ``limit`` transfers older than ``before``, of all nodes that answer."""
    found: list[FoundTransfer] = []
    last = before or LAST_ID
    size, pieces = (_PIECE, _MOST_PIECES) if wanted.state else (limit + 1, 1)
    for _piece in range(pieces):
        rows = _rows_everywhere(wanted, before=last, limit=size)
        found += _fitting(rows, wanted, _arrivals_everywhere(rows))
        if len(found) > limit:
            return TransferPage(transfers=found[:limit], older=found[limit - 1].transfer_id)
        if len(rows) < size:
            return TransferPage(transfers=found, older=None)
        last = rows[-1].id
    return TransferPage(transfers=found, older=last)


def all_transfers(wanted: TransferFilter) -> Iterator[FoundTransfer]:
    """Yield all transfers, newest first, read piece by piece.

    Raises:
        BranchDown: at once, when a node does not answer; later, the reading breaks off.
    """
    rows = read_everywhere(lambda source: _all_rows(source, wanted), nodes(), newest_by=_id)
    copy = reading.source()
    return reading.read_on(_pieces_made(rows, wanted, [copy] if copy else nodes()))


def transfer_known(transfer_id: UUID) -> FoundTransfer:
    """Return a transfer by its id.

    Raises:
        Refused: there is none.
        BranchDown: it may be at a branch that does not answer.
    """
    found = transfers_among([transfer_id])
    if not found:
        refuse_silence_of(*nodes())
        raise Refused(Code.UNKNOWN_TRANSFER)
    return found[0]


def transfers_under(reference: str, *, limit: int) -> list[FoundTransfer]:
    """Return the newest transfers to which anybody gave a reference that is good once only."""
    asked = {"reference": reference, "limit": limit}
    rows = ask_everywhere(lambda source: _fetch(source, "under_reference", asked))
    return transfers_among(sorted((row.transfer_id for row in rows), reverse=True)[:limit])


def transfers_among(ids: Sequence[UUID]) -> list[FoundTransfer]:
    """Return the transfers of these ids on nodes that answer, newest first."""
    if not ids:
        return []
    wanted = list(ids)
    rows = ask_everywhere(
        lambda source: _read(source, TransferFilter(), LAST_ID, len(wanted), of=wanted)
    )
    rows.sort(key=_id, reverse=True)
    return _fitting(rows, TransferFilter(), _arrivals_everywhere(rows))


def _rows_everywhere(wanted: TransferFilter, *, before: UUID, limit: int) -> list[Any]:
    rows = ask_everywhere(lambda source: _read(source, wanted, before, limit))
    return sorted(rows, key=_id, reverse=True)[:limit]


def _all_rows(source: str, wanted: TransferFilter) -> Iterator[Any]:
    before = LAST_ID
    while rows := _read(source, wanted, before, _PIECE):
        yield from rows
        before = rows[-1].id


def _read(
    source: str, wanted: TransferFilter, before: UUID, limit: int, *, of: list[UUID] | None = None
) -> list[Any]:
    parameters = {
        **asdict(wanted),
        "ids": of,
        "since": wanted.since or _BEGINNING,
        "until": wanted.until or _END,
        "is_across": wanted.state and wanted.state is not TransferState.WITHIN,
        "before": before,
        "limit": limit,
    }
    return _fetch(source, "transfers", parameters)


def _fetch(source: str, name: str, parameters: dict[str, Any]) -> list[Any]:
    with ledger_cursor(source) as cursor:
        # Planned anew each time: what is left open decides about the way.
        return cursor.execute(_QUERIES[name], parameters, prepare=False).fetchall()


def _pieces_made(
    rows: Iterator[Any], wanted: TransferFilter, sources: Sequence[str]
) -> Iterator[FoundTransfer]:
    while piece := list(islice(rows, _PIECE)):
        asked = {"ids": _crossings(piece)}
        # Asked one by one: what does not answer breaks the reading off, and is not taken for no.
        arrived = [row for source in sources for row in _fetch(source, "arrived", asked)]
        yield from _fitting(piece, wanted, dict(arrived))


def _arrivals_everywhere(rows: Sequence[Any]) -> dict[UUID, datetime]:
    """Return when transfers between nodes came; what a silent node has is not among them."""
    ids = _crossings(rows)
    if not ids:
        return {}
    return dict(ask_everywhere(lambda source: _fetch(source, "arrived", {"ids": ids})))


def _crossings(rows: Sequence[Any]) -> list[UUID]:
    return [row.crossing_id for row in rows if row.crossing_id]


def _fitting(
    rows: Sequence[Any], wanted: TransferFilter, arrived: dict[UUID, datetime]
) -> list[FoundTransfer]:
    """Make transfers of rows, of those that are in the wanted state."""
    fitting = [row for row in rows if wanted.state in {None, _state(row, arrived)}]
    parties = parties_of([number for row in fitting for number in (row.debit, row.credit)])
    clients = {row.client for row in fitting} - {BANK_CLIENT}
    people = ask_head_office(lambda node: people_named(clients, using=node)) or {}
    return [
        FoundTransfer(
            transfer_id=row.id,
            debit=parties[row.debit],
            credit=parties[row.credit],
            amount=Money(row.amount, row.currency),
            debit_after=_money(row.debit_after, row.currency),
            credit_after=_money(row.credit_after, row.currency),
            kind=row.kind,
            channel=row.channel,
            memo=row.memo or "",
            reference=row.reference or "",
            client=row.client,
            client_user_id=people[row.client].number if row.client in people else None,
            client_name=people[row.client].full_name if row.client in people else "",
            event_at=row.event_at,
            recorded_at=row.recorded_at,
            arrived_at=arrived.get(row.crossing_id),
            reversed_by=row.reversed_by,
            reverses=row.reverses,
            state=_state(row, arrived),
        )
        for row in fitting
    ]


def _state(row: Any, arrived: dict[UUID, datetime]) -> TransferState:
    if row.has_come or row.crossing_id in arrived:
        return TransferState.SETTLED
    return TransferState.WITHIN if row.crossing_id is None else TransferState.SETTLING


def _money(minor: int | None, currency: str) -> Money | None:
    return None if minor is None else Money(minor, currency)


def _id(row: Any) -> UUID:
    found: UUID = row.id
    return found
