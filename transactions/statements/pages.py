"""An account's history page by page, newest first, and what all of its wanted entries add up to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from core.db.reading import silent_nodes
from core.money import Money
from transactions.branches.asking import ask_for_account
from transactions.branches.registry import has_moved
from transactions.ledger import history
from transactions.ledger.history import EntryTotals
from transactions.ledger.reads import EVERYTHING, LAST_ID, Balance, Entry, EntryFilter
from transactions.selectors import (
    AccountView,
    Movement,
    balance_held,
    entries_of,
    movements_of,
    view_of,
)
from transactions.statements.filters import start_of
from transactions.statements.pending import Pending, pending_on

Wanted = Callable[[str], EntryFilter]
"""Says which entries are wanted, in the account's currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A page of an account's movements, newest first; ``older`` is where the next page begins."""

    account: AccountView
    movements: Sequence[Movement]
    older: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What wanted entries add up to, and the balances at both ends of the days asked for."""

    opening: Money
    coming: Money
    going: Money
    closing: Money
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which page of a history: older than an entry, newer than one, or from a day back.

    Without any of them, the newest.
    """

    before: UUID | None = None
    after: UUID | None = None
    day: date | None = None


NEWEST: Final = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPage(Statement):
    """A page that people turn both ways; ``newer`` is what newer ones come after.

    ``totals`` are None while a branch on which the account has lived does not answer. ``pending``
    is what comes after the newest page of everything, and None on others.
    """

    newer: UUID | None
    totals: Totals | None
    pending: Pending | None


def statement(
    user: int, *, number: int, before: UUID | None, limit: int, wanted: Wanted | None = None
) -> Statement:
    """Return up to ``limit`` movements of a person's account that are older than ``before``.

    Raises:
        Refused: the person has no such account.
    """
    balance = balance_held(user, number)
    conditions = wanted(balance.currency) if wanted else EVERYTHING
    newest = min(before or LAST_ID, end_of(balance))
    found = entries_of(number, before=newest, limit=limit + 1, wanted=conditions)
    page = found[:limit]
    older = page[-1].transfer_id if len(found) > limit else None
    return Statement(account=view_of(balance), movements=movements_of(number, page), older=older)


def statement_page(
    user: int, *, number: int, place: Place, limit: int, wanted: Wanted, now: datetime
) -> StatementPage:
    """Return a page of up to ``limit`` wanted movements of a person's account, and their totals.

    Raises:
        Refused: the person has no such account.
        BranchDown: its branch does not answer.
        InvalidAmount, EmptyRange: of what is wanted.
    """
    balance = balance_held(user, number)
    conditions = wanted(balance.currency)
    page, older, newer = _page(balance, conditions, place, limit)
    account = view_of(balance)
    is_first = place == NEWEST and conditions == EVERYTHING
    return StatementPage(
        account=account,
        movements=movements_of(number, page),
        older=older,
        newer=newer,
        totals=totals_of(balance, conditions),
        pending=pending_on(user, account, now=now) if is_first else None,
    )


def totals_of(balance: Balance, wanted: EntryFilter) -> Totals | None:
    """Return what the wanted entries that made a balance add up to; None while some are unknown."""
    found = ask_for_account(
        balance.number,
        lambda node: [
            history.entry_totals(balance.number, before=end_of(balance), wanted=wanted, using=node)
        ],
    )
    if has_moved(balance.number) and silent_nodes():
        return None
    openings = {one.opening_id: one.opening for one in found}
    closings = {one.closing_id: one.closing for one in found}
    sums = _sums(found, balance.currency)
    return replace(sums, opening=_last(openings, balance), closing=_last(closings, balance))


def end_of(balance: Balance) -> UUID:
    """Return what all entries of a balance lie before.

    No month after it is looked at, and a page and its totals are of the same instant as the
    balance.
    """
    return balance.before or LAST_ID


def _page(
    balance: Balance, wanted: EntryFilter, place: Place, limit: int
) -> tuple[list[Entry], UUID | None, UUID | None]:
    """Return a page's entries, and from where those older and newer than it go on."""
    if place.after is not None:
        newer = entries_since(balance, wanted, after=place.after, limit=limit + 1)
        if len(newer) > limit:
            page = newer[limit - 1 :: -1]
            return page, page[-1].transfer_id, page[0].transfer_id
        place = NEWEST
    found = entries_of(
        balance.number,
        before=min(place.before or LAST_ID, end_of(balance)),
        limit=limit + 1,
        wanted=_until_day(wanted, place.day),
    )
    page = found[:limit]
    older = page[-1].transfer_id if len(found) > limit else None
    return page, older, page[0].transfer_id if page and place != NEWEST else None


def entries_since(balance: Balance, wanted: EntryFilter, *, after: UUID, limit: int) -> list[Entry]:
    """Return the entries after one, oldest first; of all nodes on which the account has lived."""
    found = ask_for_account(
        balance.number,
        lambda node: history.entries_after(
            balance.number,
            after=after,
            before=end_of(balance),
            limit=limit,
            wanted=wanted,
            using=node,
        ),
    )
    return sorted(found, key=lambda entry: entry.transfer_id)[:limit]


def _until_day(wanted: EntryFilter, day: date | None) -> EntryFilter:
    if day is None:
        return wanted
    end = start_of(day + timedelta(days=1))
    return replace(wanted, until=min(wanted.until or end, end))


def _sums(found: Sequence[EntryTotals], currency: str) -> Totals:
    nothing = Money(0, currency)
    return Totals(
        opening=nothing,
        coming=Money(sum(one.amount_in for one in found), currency),
        going=Money(-sum(one.amount_out for one in found), currency),
        closing=nothing,
        entries=sum(one.entries_in + one.entries_out for one in found),
    )


def _last(balances: dict[UUID | None, int | None], balance: Balance) -> Money:
    """Return the balance after the newest of some entries; before the first there was nothing."""
    newest = max((at for at in balances if at is not None), default=None)
    return Money(balances[newest] or 0 if newest else 0, balance.currency)
