"""What a person sees first: all accounts, how they went, what moved last and what comes next."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.conf import settings

from core.clock import bank_day
from core.money import Money
from transactions.branches.asking import ask_everywhere
from transactions.ledger import history
from transactions.ledger.history import DayOfAccount
from transactions.parties import Party, parties_of
from transactions.payments.upcoming import Upcoming, upcoming_payments
from transactions.selectors import AccountView, Movement, accounts_of, latest_movements
from transactions.statements.filters import start_of
from transactions.statements.forecast import DAYS_AHEAD, Forecast, forecast_of

LATEST: Final = 5
NEXT: Final = 5
_DAYS_DRAWN: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAhead:
    """An account and what will be in it; ``forecast`` is None while nobody knows."""

    account: AccountView
    forecast: Forecast | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLine(AccountAhead):
    """An account with what was in it at the end of each of the last days, too."""

    balances: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What came in and went out this month, of the accounts of one currency."""

    coming: Money
    going: Money
    entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A person's money; ``upcoming`` is None while nobody knows."""

    lines: Sequence[AccountLine]
    totals: Sequence[Money]
    months: Sequence[Month]
    latest: Sequence[Movement]
    upcoming: Sequence[Upcoming] | None
    payees: Mapping[int, Party]


def overview_of(user: int, *, now: datetime) -> Overview:
    """Return what a person sees first."""
    accounts = accounts_of(user)
    if not accounts:
        return Overview(lines=[], totals=[], months=[], latest=[], upcoming=[], payees={})
    today = bank_day(now)
    numbers = [account.number for account in accounts]
    first_drawn = today - timedelta(days=_DAYS_DRAWN - 1)
    days = _days(numbers, since=min(first_drawn, today.replace(day=1)))
    upcoming = upcoming_payments(user, until=today + DAYS_AHEAD, now=now)
    return Overview(
        lines=[
            AccountLine(
                account=account,
                balances=_balances(account, days, first=first_drawn, last=today),
                forecast=None if upcoming is None else forecast_of(account, upcoming),
            )
            for account in accounts
        ],
        totals=totals_by_currency(accounts),
        months=_months(accounts, days, since=today.replace(day=1)),
        latest=latest_movements(numbers, limit=LATEST),
        upcoming=upcoming,
        payees=parties_of({one.credit for one in (upcoming or [])[:NEXT]}),
    )


def accounts_ahead(user: int, *, now: datetime) -> list[AccountAhead]:
    """Return a person's accounts, each with what it will hold."""
    accounts = accounts_of(user)
    if not accounts:
        return []
    upcoming = upcoming_payments(user, until=bank_day(now) + DAYS_AHEAD, now=now)
    return [
        AccountAhead(
            account=account,
            forecast=None if upcoming is None else forecast_of(account, upcoming),
        )
        for account in accounts
    ]


def totals_by_currency(accounts: Sequence[AccountView]) -> list[Money]:
    """Add up the balances of each currency."""
    totals: Counter[str] = Counter()
    for account in accounts:
        totals[account.currency] += account.balance.minor
    return [Money(minor, currency) for currency, minor in totals.items()]


Days = Mapping[int, Sequence[DayOfAccount]]


def _days(numbers: Sequence[int], *, since: date) -> Days:
    found: defaultdict[int, list[DayOfAccount]] = defaultdict(list)
    for one in ask_everywhere(
        lambda node: history.days_of(
            numbers, since=start_of(since), zone=settings.BANK_TIME_ZONE, using=node
        )
    ):
        found[one.account].append(one)
    return found


def _balances(account: AccountView, days: Days, *, first: date, last: date) -> list[int]:
    """Return what was in an account at the end of each day: what is, without what came since."""
    changes: Counter[date] = Counter()
    for one in days.get(account.number, ()):
        changes[min(one.day, last)] += one.coming - one.going
    balance, balances = account.balance.minor, []
    for back in range((last - first).days + 1):
        balances.append(balance)
        balance -= changes[last - timedelta(days=back)]
    return balances[::-1]


def _months(accounts: Sequence[AccountView], days: Days, *, since: date) -> list[Month]:
    coming: Counter[str] = Counter()
    going: Counter[str] = Counter()
    entries: Counter[str] = Counter()
    for account in accounts:
        for one in days.get(account.number, ()):
            if one.day >= since:
                coming[account.currency] += one.coming
                going[account.currency] += one.going
                entries[account.currency] += one.entries
    return [
        Month(
            coming=Money(coming[currency], currency),
            going=Money(-going[currency], currency),
            entries=entries[currency],
        )
        for currency in dict.fromkeys(account.currency for account in accounts)
    ]
