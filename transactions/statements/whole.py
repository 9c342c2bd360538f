"""A whole history in one go: all wanted entries of an account, however many, for files of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Final
from uuid import UUID

from core.db.reading import reading
from core.money import Money
from transactions.branches.asking import refuse_silence_of
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import node_of, nodes
from transactions.ledger.reads import Balance, Entry, EntryFilter
from transactions.selectors import (
    AccountView,
    Movement,
    balance_held,
    entries_of,
    movements_of,
    view_of,
)
from transactions.statements.pages import Totals, Wanted, end_of, entries_since, totals_of

_PIECE: Final = 500
_BEFORE_ALL: Final = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeStatement:
    """All wanted movements of an account, newest first or oldest first, as of one instant.

    ``movements`` are read as they are taken, outside the request that asked for them, and raise
    rather than leave something out. ``owner`` is who asked.
    """

    account: AccountView
    owner: str
    wanted: EntryFilter
    totals: Totals
    movements: Iterator[Movement]
    made_at: datetime

    @property
    def is_partial(self) -> bool:
        """Tell whether entries of its days are left out, so that balances do not follow from it."""
        wanted = self.wanted
        values = (wanted.value_since, wanted.value_until, wanted.least, wanted.most)
        return any(one is not None for one in (*values, wanted.direction)) or bool(
            wanted.kind or wanted.text
        )


def whole_statement(
    user: int, *, owner: str, number: int, wanted: Wanted, now: datetime, oldest_first: bool = False
) -> WholeStatement:
    """Return all wanted movements of a person's account; the first piece is read at once.

    Raises:
        Refused: the person has no such account.
        BranchDown: a branch on which it has lived does not answer.
        InvalidAmount, EmptyRange: of what is wanted.
    """
    balance = balance_held(user, number)
    conditions = wanted(balance.currency)
    totals = totals_of(balance, conditions)
    if totals is None:
        raise BranchDown(node_of(number))
    movements = _all_movements(balance, conditions, oldest_first=oldest_first)
    begun = list(islice(movements, 1))
    return WholeStatement(
        account=view_of(balance),
        owner=owner,
        wanted=conditions,
        totals=totals,
        movements=chain(begun, movements),
        made_at=now,
    )


def _all_movements(
    balance: Balance, wanted: EntryFilter, *, oldest_first: bool
) -> Iterator[Movement]:
    """Yield movements piece by piece.

    Raises:
        BranchDown: a branch fell silent, so that some would be missing.
    """
    last = _BEFORE_ALL if oldest_first else end_of(balance)
    while True:
        with reading(may_use_replica=False, positions={}):
            found = _piece(balance, wanted, last, oldest_first=oldest_first)
            refuse_silence_of(*nodes())
            movements = movements_of(balance.number, found)
        yield from movements
        if len(found) < _PIECE:
            return
        last = found[-1].transfer_id


def _piece(balance: Balance, wanted: EntryFilter, last: UUID, *, oldest_first: bool) -> list[Entry]:
    """Return the entries that follow the last one, either way."""
    if oldest_first:
        return entries_since(balance, wanted, after=last, limit=_PIECE)
    return entries_of(balance.number, before=last, limit=_PIECE, wanted=wanted)


def side_of(amount: Money) -> tuple[str, Money]:
    """Return whether an amount is a credit or a debit of the account, and how much it is."""
    return ("DBIT" if amount.minor < 0 else "CRDT"), Money(abs(amount.minor), amount.currency)
