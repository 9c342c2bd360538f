"""What of the money lent is late, and how late."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Final

from core.money import Money
from loans.models import Loan, LoanState
from loans.standing import Bucket, standings

_PIECE: Final = 1_000


@dataclass(frozen=True, slots=True)
class LoansOfBucket:
    """Running loans in a currency that are late by so many days: all they owe, and what is due."""

    bucket: str
    loans: int
    owed: Money
    due: Money


def loans_at_risk(day: date) -> list[LoansOfBucket]:
    """Return how the running loans stand on a day, by what they owe now, those in time first.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    loans: Counter[tuple[str, Bucket]] = Counter()
    owed: Counter[tuple[str, Bucket]] = Counter()
    due: Counter[tuple[str, Bucket]] = Counter()
    running = Loan.objects.filter(state=LoanState.ACTIVE).select_related("terms").iterator(_PIECE)
    while piece := list(islice(running, _PIECE)):
        for one in standings(piece, day=day).values():
            place = one.loan.terms.currency, one.bucket
            loans[place] += 1
            owed[place] += one.owed.total
            due[place] += one.due.total
    order = list(Bucket)
    return [
        LoansOfBucket(
            str(bucket),
            loans[currency, bucket],
            Money(owed[currency, bucket], currency),
            Money(due[currency, bucket], currency),
        )
        for currency, bucket in sorted(loans, key=lambda one: (one[0], order.index(one[1])))
    ]
