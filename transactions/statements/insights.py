"""How a person's money went: six months of it, by month and by what it was for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.conf import settings

from core.clock import bank_day
from core.money import Money
from transactions.branches.asking import ask_everywhere
from transactions.ledger import history
from transactions.ledger.history import MonthOfAccount
from transactions.selectors import AccountView, accounts_of
from transactions.statements.categories import chosen_categories, usual_category
from transactions.statements.filters import start_of
from transactions.statements.models import Category

MONTHS: Final = 6
_YEAR: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came in and went out, ``going`` negative, and of how many movements."""

    coming: Money
    going: Money
    entries: int

    @property
    def net(self) -> Money:
        """What is left of it."""
        return Money(self.coming.minor + self.going.minor, self.coming.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Insights:
    """How the money in one currency went; months from the oldest on, this one the last.

    ``currency`` is empty where there is no account.
    """

    currency: str
    currencies: Sequence[str]
    accounts: Sequence[AccountView]
    months: Sequence[tuple[date, Figures]]
    categories: Sequence[tuple[Category, Figures]]


def insights_of(user: int, *, currency: str | None, now: datetime) -> Insights:
    """Return how a person's money in a currency went; without one, that of the first account."""
    accounts = accounts_of(user)
    currencies = list(dict.fromkeys(account.currency for account in accounts))
    chosen = currency if currency in currencies else next(iter(currencies), "")
    numbers = [account.number for account in accounts if account.currency == chosen]
    months = _last_months(bank_day(now))
    found = _figures_of(numbers, since=months[0]) if numbers else []
    return Insights(
        currency=chosen,
        currencies=currencies,
        accounts=[account for account in accounts if account.currency == chosen],
        months=[
            (month, _sum((one for one in found if one.month == month), chosen)) for month in months
        ]
        if chosen
        else [],
        categories=_by_category([*_usual(found), *_moved(user, numbers, months[0])], chosen),
    )


def _figures_of(numbers: Sequence[int], *, since: date) -> list[MonthOfAccount]:
    return ask_everywhere(
        lambda node: history.months_of(
            numbers, since=start_of(since), zone=settings.BANK_TIME_ZONE, using=node
        )
    )


Placed = tuple[Category, MonthOfAccount]


def _usual(found: Iterable[MonthOfAccount]) -> list[Placed]:
    return [(usual_category(one.kind, is_coming=one.coming > 0), one) for one in found]


def _moved(user: int, numbers: Sequence[int], since: date) -> list[Placed]:
    """Return what takes movements out of their usual categories and puts them into chosen ones."""
    chosen = chosen_categories(user) if numbers else None
    if not chosen:
        return []
    legs = ask_everywhere(
        lambda node: history.legs_of(
            numbers,
            ids=chosen,
            since=start_of(since),
            zone=settings.BANK_TIME_ZONE,
            using=node,
        )
    )
    taken = [(category, _taken_out(leg)) for category, leg in _usual(leg for _id, leg in legs)]
    return [*taken, *((chosen[transfer_id], leg) for transfer_id, leg in legs)]


def _taken_out(leg: MonthOfAccount) -> MonthOfAccount:
    return leg._replace(coming=-leg.coming, going=-leg.going, entries=-leg.entries)


def _by_category(placed: Sequence[Placed], currency: str) -> list[tuple[Category, Figures]]:
    """Return the categories in which something moved, the one with most in and out first."""
    sums = [
        (category, _sum((one for at, one in placed if at == category), currency))
        for category in Category
    ]
    moved = [(category, figures) for category, figures in sums if figures.entries]
    return sorted(moved, key=lambda pair: pair[1].going.minor - pair[1].coming.minor)


def _sum(several: Iterable[MonthOfAccount], currency: str) -> Figures:
    found = list(several)
    return Figures(
        coming=Money(sum(one.coming for one in found), currency),
        going=Money(-sum(one.going for one in found), currency),
        entries=sum(one.entries for one in found),
    )


def _last_months(today: date) -> list[date]:
    """Return the first days of the last months, the one of today the last."""
    this = today.year * _YEAR + today.month - 1
    return [
        date(number // _YEAR, number % _YEAR + 1, 1)
        for number in range(this - MONTHS + 1, this + 1)
    ]
