"""What a day was like at a branch, once it is over."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psycopg
from django.utils.translation import gettext as _

from accounts.models import Branch
from accounts.selectors import UnknownBranch
from core.clock import bank_day, start_of
from core.db.sql import queries
from core.money import Money
from transactions.branches.asking import ask_head_office, refuse_silence_of
from transactions.branches.registry import HEAD_OFFICE
from transactions.parties import Party, parties_of
from transactions.reporting.account_days import UnfitPeriod
from transactions.reporting.snapshots import one_position

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "branch_day.sql")
_FIRST: Final = date(1970, 1, 2)


@dataclass(frozen=True, slots=True)
class Moved:
    """How much has moved of a kind by a channel."""

    kind: str
    channel: str
    transfers: int
    amount: Money


@dataclass(frozen=True, slots=True)
class CustomersDay:
    """What came to customers' accounts in a currency, left them, and how many of them moved."""

    accounts: int
    coming: Money
    going: Money

    @property
    def net(self) -> Money:
        """What is left of it."""
        return Money(self.coming.minor - self.going.minor, self.coming.currency)


@dataclass(frozen=True, slots=True)
class CashDay:
    """What lay in a place of a branch's cash when the day began, and when it ended."""

    place: Party
    opening: Money
    closing: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchDay:
    """A day of a branch; ``as_of``: up to when all that was recorded had been read."""

    branch: Branch
    day: date
    moved: Sequence[Moved]
    customers: Sequence[CustomersDay]
    cash: Sequence[CashDay]
    as_of: datetime


def branch_day(code: str, day: date | None, *, now: datetime) -> BranchDay:
    """Return what a day was like at a branch; without a day, yesterday.

    Raises:
        UnknownBranch
        UnfitPeriod: the day is not over, or before all days of banks.
        PositionNotReached, BranchDown: the copies are not that far, or do not answer.
    """
    chosen = day or bank_day(now) - timedelta(days=1)
    if not _FIRST <= chosen < bank_day(now):
        raise UnfitPeriod(_("This day is not over yet, or too far away."), field="day")
    branch = _branch(code)
    until = start_of(chosen + timedelta(days=1))
    asked = {"branch": branch.number, "since": start_of(chosen), "until": until}
    with one_position(until=until, now=now) as found:
        moved = _moved(found.ledgers, asked)
        customers = _customers(found.ledgers, asked)
        cash = _rows(found.ledgers, "cash", asked)
    places = parties_of([row[0] for row in cash])
    return BranchDay(
        branch=branch,
        day=chosen,
        moved=moved,
        customers=customers,
        cash=[
            CashDay(places[number], Money(opening, currency), Money(closing, currency))
            for number, _purpose, currency, opening, closing in cash
        ],
        as_of=found.as_of,
    )


def _branch(code: str) -> Branch:
    found = ask_head_office(lambda source: Branch.objects.using(source).filter(code=code).first())
    if found is None:
        refuse_silence_of(HEAD_OFFICE)
        raise UnknownBranch
    return found


def _moved(ledgers: Sequence[psycopg.Connection], asked: dict[str, Any]) -> list[Moved]:
    counts: Counter[tuple[str, str, str]] = Counter()
    amounts: Counter[tuple[str, str, str]] = Counter()
    for kind, channel, currency, transfers, minor in _rows(ledgers, "movements", asked):
        counts[kind, channel, currency] += transfers
        amounts[kind, channel, currency] += minor
    return [
        Moved(kind, channel, count, Money(amounts[kind, channel, currency], currency))
        for (kind, channel, currency), count in sorted(counts.items())
    ]


def _customers(ledgers: Sequence[psycopg.Connection], asked: dict[str, Any]) -> list[CustomersDay]:
    sums: dict[str, list[int]] = {}
    for currency, *figures in _rows(ledgers, "customers", asked):
        known = sums.setdefault(currency, [0, 0, 0])
        sums[currency] = [one + more for one, more in zip(known, figures, strict=True)]
    return [
        CustomersDay(accounts, Money(coming, currency), Money(going, currency))
        for currency, (accounts, coming, going) in sorted(sums.items())
    ]


def _rows(ledgers: Sequence[psycopg.Connection], name: str, asked: dict[str, Any]) -> list[Any]:
    return [row for ledger in ledgers for row in ledger.execute(_QUERIES[name], asked)]
