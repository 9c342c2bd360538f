"""How an account went: what came in and went out on each day, and what was in it at its end."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from core.clock import bank_day, start_of
from core.db.sql import queries
from core.errors import DomainError
from core.money import Money
from transactions.branches.asking import ask_for_account, refuse_silence_of
from transactions.branches.registry import nodes
from transactions.ledger.connection import ledger_cursor
from transactions.selectors import AccountView, balance_held, view_of
from transactions.statements.pages import end_of

MONTHS: Final = 6
MOST_YEARS: Final = 30
_YEAR: Final = 12
_QUERIES: Final = queries(Path(__file__).parent / "sql" / "account_days.sql")


class UnfitPeriod(DomainError):
    """A period that no picture or report can be about; ``field`` is the day at fault."""

    code = "unfit_period"


class Day(NamedTuple):
    """What came and went on a day, neither negative, and the balance at its end; minor units."""

    day: date
    coming: int
    going: int
    entries: int
    balance: int


class Month(NamedTuple):
    """The days of a month together."""

    month: date
    coming: Money
    going: Money
    balance: Money
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days of the bank, the first and the last one included."""

    first: date
    last: date

    @classmethod
    def fromisoformat(cls, first: str, last: str) -> Self:
        """Read the days as ``date`` writes them."""
        return cls(first=date.fromisoformat(first), last=date.fromisoformat(last))

    def __iter__(self) -> Iterator[date]:
        """Yield the days."""
        return (self.first + timedelta(days) for days in range(len(self)))

    def __len__(self) -> int:
        """Count the days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDays:
    """An account over a period: each of its days, and what all of them add up to."""

    account: AccountView
    period: Period
    days: Sequence[Day]

    @property
    def coming(self) -> Money:
        """All that came in."""
        return self._money(sum(one.coming for one in self.days))

    @property
    def going(self) -> Money:
        """All that went out."""
        return self._money(sum(one.going for one in self.days))

    @property
    def net(self) -> Money:
        """What is left of it."""
        return self._money(self.coming.minor - self.going.minor)

    @property
    def closing(self) -> Money:
        """The balance at the end."""
        return self._money(self.days[-1].balance)

    @property
    def entries(self) -> int:
        """Count the movements."""
        return sum(one.entries for one in self.days)

    @property
    def months(self) -> list[Month]:
        """Add up the days of each month."""
        found = []
        for month, several in groupby(self.days, key=lambda one: one.day.replace(day=1)):
            days = list(several)
            found.append(
                Month(
                    month,
                    self._money(sum(one.coming for one in days)),
                    self._money(sum(one.going for one in days)),
                    self._money(days[-1].balance),
                    sum(one.entries for one in days),
                )
            )
        return found

    def _money(self, minor: int) -> Money:
        return Money(minor, self.account.currency)


def period_of(first: date | None, last: date | None, *, now: datetime) -> Period:
    """Return the days asked for; what is left open: six months, up to today.

    Raises:
        UnfitPeriod: it ends before it begins, has yet to end, or is too long.
    """
    today = bank_day(now)
    end = last or today
    begin = first or _months_before(end)
    if end > today:
        raise UnfitPeriod(_("This day is still to come."), field="last")
    if begin > end:
        raise UnfitPeriod(_("The last day is before the first one."), field="last")
    if end.year - begin.year > MOST_YEARS:
        message = _("At most %(years)s years can be shown at once.") % {"years": MOST_YEARS}
        raise UnfitPeriod(message, field="first")
    return Period(first=begin, last=end)


def last_entry_of(user: int, number: int) -> UUID:
    """Return what all entries of a person's account lie before: it changes with each new one.

    Raises:
        Refused: the person has no such account.
        BranchDown: its branch does not answer.
    """
    return end_of(balance_held(user, number))


def account_days(user: int, *, number: int, period: Period) -> AccountDays:
    """Return how a person's account went.

    Raises:
        Refused: the person has no such account.
        BranchDown: a branch on which it has lived does not answer.
    """
    balance = balance_held(user, number)
    asked = {
        "account": number,
        "since": start_of(period.first),
        "before": end_of(balance),
        "zone": settings.BANK_TIME_ZONE,
    }
    found = ask_for_account(number, lambda node: _fetch(node, asked))
    refuse_silence_of(*nodes())
    return AccountDays(
        account=view_of(balance), period=period, days=_days(found, period, balance.balance)
    )


def _days(found: Sequence[Any], period: Period, balance: int) -> list[Day]:
    """Return each day with the balance at its end: what is, without what came after it."""
    coming: Counter[date] = Counter()
    going: Counter[date] = Counter()
    entries: Counter[date] = Counter()
    for one in found:
        coming[one.day] += one.coming
        going[one.day] += one.going
        entries[one.day] += one.entries
    balance -= sum(one.coming - one.going for one in found if one.day > period.last)
    days = []
    for day in reversed(list(period)):
        days.append(Day(day, coming[day], going[day], entries[day], balance))
        balance -= coming[day] - going[day]
    return days[::-1]


def _fetch(node: str, asked: dict[str, Any]) -> list[Any]:
    with ledger_cursor(node) as cursor:
        return cursor.execute(_QUERIES["days"], asked).fetchall()


def _months_before(last: date) -> date:
    """Return the first day of the month with which six months end that a day is in."""
    number = last.year * _YEAR + last.month - MONTHS
    return date(number // _YEAR, number % _YEAR + 1, 1)
