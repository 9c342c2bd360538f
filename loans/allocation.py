"""What a payment pays, and what is due: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from loans.schedule import MOST_PPM
from transactions.lending import Owed

_MONTHS_A_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class Accrued:
    """A day's interest: the ``days``-th part of a month's, at a yearly rate, on ``principal``."""

    principal: int
    rate_ppm: int
    days: int


@dataclass(frozen=True, slots=True)
class Promised:
    """What of the principal is to be repaid by a day."""

    due_date: date
    principal: int


def allocated(paid: int, owed: Owed) -> Owed:
    """Return what a payment pays: penalties first, then fees, interest, and principal.

    What is more than all that is owed pays nothing.
    """
    penalty = min(paid, owed.penalty)
    fee = min(paid - penalty, owed.fee)
    interest = min(paid - penalty - fee, owed.interest)
    principal = min(paid - penalty - fee - interest, owed.principal)
    return Owed(penalty=penalty, fee=fee, interest=interest, principal=principal)


def principal_due(promised: Sequence[Promised], *, lent: int, outstanding: int, until: date) -> int:
    """Return what of the principal should be repaid by a day and is not."""
    wanted = sum(one.principal for one in promised if one.due_date <= until)
    return max(0, min(outstanding, wanted - (lent - outstanding)))


def first_unpaid(promised: Sequence[Promised], *, lent: int, outstanding: int) -> date | None:
    """Return the day of the first instalment whose principal is not all repaid; None: none."""
    repaid = lent - outstanding
    for one in promised:
        repaid -= one.principal
        if repaid < 0:
            return one.due_date
    return None


def oldest_unpaid(charges: Sequence[tuple[date, int]], unpaid: int) -> date | None:
    """Return the day of the oldest of some charges that is not all paid; the first is paid first.

    ``charges`` are in the order of their days, ``unpaid`` is what of them is left.
    """
    found = None
    for day, minor in reversed(charges):
        if unpaid <= 0:
            break
        found = day
        unpaid -= minor
    return found


def interest_for(days: Sequence[Accrued]) -> int:
    """Return the interest of some days in minor units, rounded once, half to even."""
    exact = sum(
        (
            Fraction(one.principal * one.rate_ppm, MOST_PPM * _MONTHS_A_YEAR * one.days)
            for one in days
        ),
        Fraction(0),
    )
    return round(exact)
