"""What is to be paid for a loan, and when: pure, exact, in whole minor units.

Each period's interest is a twelfth of the yearly rate on what is owed, rounded once, half to even.
Each instalment is rounded; the last one absorbs what rounding has left.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from django.utils.translation import gettext as _

from core.errors import DomainError

MOST_MONTHS: Final = 480
MOST_PPM: Final = 1_000_000
_PERCENT: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?", re.ASCII)
_MONTHS_A_YEAR: Final = 12


class Method(StrEnum):
    """How a loan is repaid."""

    ANNUITY = "annuity"
    FLAT = "flat"
    INTEREST_ONLY = "interest_only"


class InvalidBorrowing(DomainError):
    """No schedule can be made for this; ``code`` says why."""

    code = "invalid_loan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowing:
    """What is borrowed: minor units, months, and a yearly rate in millionths.

    In the first ``holiday_months`` interest alone is paid.
    """

    principal: int
    months: int
    rate_ppm: int
    method: Method
    holiday_months: int = 0

    @property
    def monthly_rate(self) -> Fraction:
        """The rate of one period."""
        return Fraction(self.rate_ppm, MOST_PPM * _MONTHS_A_YEAR)


@dataclass(frozen=True, slots=True)
class Instalment:
    """One payment: its day, its parts in minor units, and what is owed after it."""

    number: int
    due_date: date
    principal: int
    interest: int
    balance_after: int

    @property
    def total(self) -> int:
        """Principal and interest."""
        return self.principal + self.interest


def schedule(borrowing: Borrowing, *, start: date) -> list[Instalment]:
    """Return the instalments of a loan that is paid out on a day, the first a month later.

    Raises:
        InvalidBorrowing: a figure is out of bounds, or an instalment would be nothing.
    """
    check(borrowing)
    instalments = list(_instalments(borrowing, start))
    amortised = instalments[borrowing.holiday_months :]
    is_bullet = borrowing.method is Method.INTEREST_ONLY
    if not is_bullet and any(one.principal <= 0 for one in amortised):
        message = _("The amount is too small for so many instalments.")
        raise InvalidBorrowing(message, code="amount_too_small", field="amount")
    return instalments


def check(borrowing: Borrowing) -> None:
    """Refuse what no loan can be.

    Raises:
        InvalidBorrowing
    """
    if not 1 <= borrowing.months <= MOST_MONTHS:
        message = _("A loan runs for 1 to %(most)s months.") % {"most": MOST_MONTHS}
        raise InvalidBorrowing(message, code="invalid_term", field="months")
    if not 0 <= borrowing.rate_ppm <= MOST_PPM:
        message = _("The rate is between 0 and 100 percent a year.")
        raise InvalidBorrowing(message, code="invalid_rate", field="rate")
    if borrowing.principal <= 0:
        message = _("The amount must be more than zero.")
        raise InvalidBorrowing(message, code="amount_not_positive", field="amount")
    if not 0 <= borrowing.holiday_months < borrowing.months:
        message = _("The months without repayment must be fewer than those of the loan.")
        raise InvalidBorrowing(message, code="invalid_holiday", field="holiday_months")


def instalment_amount(borrowing: Borrowing) -> int:
    """Return what is paid each month, but the last and those of the holiday."""
    months = borrowing.months - borrowing.holiday_months
    rate = borrowing.monthly_rate
    if borrowing.method is Method.INTEREST_ONLY:
        return round(borrowing.principal * rate)
    if borrowing.method is Method.FLAT:
        return round(Fraction(borrowing.principal, months)) + round(borrowing.principal * rate)
    if not rate:
        return round(Fraction(borrowing.principal, months))
    growth = (1 + rate) ** months
    return round(borrowing.principal * rate * growth / (growth - 1))


def percent(ppm: int) -> str:
    """Write millionths as percent: ``12.5``."""
    whole, rest = divmod(ppm, MOST_PPM // 100)
    return f"{whole}.{rest:04}".rstrip("0").removesuffix(".")


def ppm_of(text: str) -> int:
    """Read a rate as ``percent`` writes it, with up to four decimal places, in millionths.

    Raises:
        InvalidBorrowing
    """
    if not _PERCENT.fullmatch(text):
        message = _("Write a rate as 12.5, with at most four decimal places.")
        raise InvalidBorrowing(message, code="invalid_rate", field="rate")
    whole, _point, rest = text.partition(".")
    return int(whole) * MOST_PPM // 100 + int(rest.ljust(4, "0"))


def months_later(day: date, months: int) -> date:
    """Return the same day some months later, or the last one of a month that is too short."""
    place = day.month - 1 + months
    year, month = day.year + place // _MONTHS_A_YEAR, place % _MONTHS_A_YEAR + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _instalments(borrowing: Borrowing, start: date) -> Iterator[Instalment]:
    paid_monthly = instalment_amount(borrowing)
    balance = borrowing.principal
    for number in range(1, borrowing.months + 1):
        is_flat = borrowing.method is Method.FLAT
        base = borrowing.principal if is_flat else balance
        interest = round(base * borrowing.monthly_rate)
        principal = _principal(borrowing, number, paid_monthly - interest, balance)
        balance -= principal
        yield Instalment(number, months_later(start, number), principal, interest, balance)


def _principal(borrowing: Borrowing, number: int, regular: int, balance: int) -> int:
    if number == borrowing.months:
        return balance
    if number <= borrowing.holiday_months or borrowing.method is Method.INTEREST_ONLY:
        return 0
    return min(regular, balance)
