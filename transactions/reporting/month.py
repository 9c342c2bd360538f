"""What a month was like for the bank: volumes, balances, largest movements, money in transit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

import psycopg
from django.utils.translation import gettext as _

from core.clock import bank_day, start_of
from core.db.sql import queries
from core.money import Money
from transactions.closing.models import BankDay
from transactions.reporting.account_days import UnfitPeriod

MOST_LARGEST: Final = 5
_QUERIES: Final = queries(Path(__file__).parent / "sql" / "month.sql")


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the bank's calendar, by its first day."""

    first: date

    @classmethod
    def parse(cls, text: str, *, now: datetime) -> Self:
        """Read a month that is over, as ``2026-10``.

        Raises:
            UnfitPeriod: it is none, or not over yet.
        """
        try:
            first = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007  # a day has no zone
            month = cls(first)
            is_over = month.next.first <= bank_day(now)
        except (ValueError, OverflowError):
            message = _("This is no month; write it as 2026-10.")
            raise UnfitPeriod(message, field="month") from None
        if not is_over:
            raise UnfitPeriod(_("This month is not over yet."), field="month")
        return month

    @classmethod
    def before(cls, now: datetime) -> Self:
        """Return the last month that is over."""
        return cls((bank_day(now).replace(day=1) - timedelta(days=1)).replace(day=1))

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month((self.first + timedelta(days=31)).replace(day=1))

    @property
    def since(self) -> datetime:
        """Its first instant."""
        return start_of(self.first)

    @property
    def until(self) -> datetime:
        """The first instant after it."""
        return start_of(self.next.first)

    def __str__(self) -> str:
        """Write it as ``2026-10``."""
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Volume:
    """Transfers that accounts of a branch, by its number, have paid by a channel."""

    branch: int
    channel: str
    transfers: int
    amount: Money


@dataclass(frozen=True, slots=True)
class Holding:
    """What customers have, and what lies in cash, at a branch at the month's end."""

    branch: int
    customers: Money
    cash: Money


@dataclass(frozen=True, slots=True)
class LargeTransfer:
    """One of a currency's largest transfers."""

    transfer_id: UUID
    recorded_at: datetime
    debit: int
    credit: int
    kind: str
    channel: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOfMoney:
    """A month; ``was_sound`` is what the position after its last day said, None if there is none.

    ``in_transit`` is what had left one node and not arrived at another when the month ended.
    """

    volumes: Sequence[Volume]
    holdings: Sequence[Holding]
    largest: Sequence[LargeTransfer]
    in_transit: Sequence[Money]
    was_sound: bool | None


def month_of_money(ledgers: Sequence[psycopg.Connection], month: Month) -> MonthOfMoney:
    """Return what a month was like on ledgers that together are the bank's."""
    return MonthOfMoney(
        volumes=_volumes(ledgers, month),
        holdings=_holdings(ledgers, month),
        largest=_largest(ledgers, month),
        in_transit=_in_transit(ledgers, month),
        was_sound=_was_sound(month.next.first - timedelta(days=1)),
    )


def _volumes(ledgers: Sequence[psycopg.Connection], month: Month) -> list[Volume]:
    transfers: Counter[tuple[int, str, str]] = Counter()
    amounts: Counter[tuple[int, str, str]] = Counter()
    for *place, count, minor in _rows(ledgers, "volumes", month):
        branch, channel, currency = place
        transfers[branch, channel, currency] += count
        amounts[branch, channel, currency] += minor
    return [
        Volume(branch, channel, count, Money(amounts[branch, channel, currency], currency))
        for (branch, channel, currency), count in sorted(transfers.items())
    ]


def _holdings(ledgers: Sequence[psycopg.Connection], month: Month) -> list[Holding]:
    customers: Counter[tuple[int, str]] = Counter()
    cash: Counter[tuple[int, str]] = Counter()
    for branch, currency, owned, lying in _rows(ledgers, "balances", month):
        customers[branch, currency] += owned
        cash[branch, currency] += lying
    return [
        Holding(branch, Money(owned, currency), Money(cash[branch, currency], currency))
        for (branch, currency), owned in sorted(customers.items())
    ]


def _largest(ledgers: Sequence[psycopg.Connection], month: Month) -> list[LargeTransfer]:
    found: dict[str, list[LargeTransfer]] = {}
    for currency, minor, transfer_id, debit, credit, kind, channel, at in _rows(
        ledgers, "largest", month
    ):
        one = LargeTransfer(transfer_id, at, debit, credit, kind, channel, Money(minor, currency))
        found.setdefault(currency, []).append(one)
    for several in found.values():
        several.sort(key=lambda one: (-one.amount.minor, one.transfer_id))
    return [one for _code, several in sorted(found.items()) for one in several[:MOST_LARGEST]]


def _in_transit(ledgers: Sequence[psycopg.Connection], month: Month) -> list[Money]:
    amounts: Counter[str] = Counter()
    for currency, minor in _rows(ledgers, "in_transit", month):
        amounts[currency] += minor
    return [Money(minor, currency) for currency, minor in sorted(amounts.items())]


def _was_sound(day: date) -> bool | None:
    """Tell what the bank's position said when a day was closed; None: it was not."""
    closed = BankDay.objects.filter(day=day, closed_at__isnull=False).first()
    if closed is None or closed.position is None:
        return None
    figures = [closed.position["in_transit"], closed.position["imbalance"]]
    return not any(minor for found in figures for minor in found.values())


def _rows(ledgers: Sequence[psycopg.Connection], name: str, month: Month) -> list[Any]:
    asked = {"since": month.since, "until": month.until, "most": MOST_LARGEST}
    return [row for ledger in ledgers for row in ledger.execute(_QUERIES[name], asked)]
