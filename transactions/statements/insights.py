"""How a person's money went: six months of it, by month and by what it was for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.clock import bank_day
from core.money import Money
from transactions.branches.asking import ask_everywhere
from transactions.ledger import history
from transactions.ledger.history import MonthOfAccount
from transactions.selectors import accounts_of
from transactions.statements.filters import start_of

MONTHS: Final = 6
_YEAR: Final = 12


class Category(models.TextChoices):
    """What money came from or went for."""

    RECEIVED = "received", _("Received")
    SENT = "sent", _("Sent to others")
    OWN = "own", _("Between your own accounts")
    BILLS = "bills", _("Bills and payments")
    SHOPPING = "shopping", _("Shopping by card")
    CASH = "cash", _("Cash")
    INTEREST = "interest", _("Interest")
    CHARGES = "charges", _("Bank charges")
    CORRECTIONS = "corrections", _("Taken back")


_OF_KIND: Final = {
    "own": Category.OWN,
    "payment": Category.BILLS,
    "card": Category.SHOPPING,
    "withdrawal": Category.CASH,
    "deposit": Category.CASH,
    "interest": Category.INTEREST,
    "penalty_interest": Category.CHARGES,
    "fee": Category.CHARGES,
    "rounding": Category.CHARGES,
    "reversal": Category.CORRECTIONS,
}


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
        months=[
            (month, _sum((one for one in found if one.month == month), chosen)) for month in months
        ]
        if chosen
        else [],
        categories=_by_category(found, chosen),
    )


def _figures_of(numbers: Sequence[int], *, since: date) -> list[MonthOfAccount]:
    return ask_everywhere(
        lambda node: history.months_of(
            numbers, since=start_of(since), zone=settings.BANK_TIME_ZONE, using=node
        )
    )


def _by_category(found: Sequence[MonthOfAccount], currency: str) -> list[tuple[Category, Figures]]:
    """Return the categories in which something moved, the one with most in and out first."""
    kept = {category: [one for one in found if _category(one) == category] for category in Category}
    sums = [(category, _sum(several, currency)) for category, several in kept.items() if several]
    return sorted(sums, key=lambda pair: pair[1].going.minor - pair[1].coming.minor)


def _category(one: MonthOfAccount) -> Category:
    usual = Category.RECEIVED if one.coming > one.going else Category.SENT
    return _OF_KIND.get(one.kind, usual)


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
