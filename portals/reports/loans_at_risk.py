"""What of the money lent is late, and how late."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import nlargest
from itertools import islice
from typing import Final

from core.money import Money
from loans.models import Loan, LoanState
from loans.standing import Bucket, Standing, standings

_PIECE: Final = 1_000


@dataclass(frozen=True, slots=True)
class LoansOfBucket:
    """Running loans in a currency that are late by so many days: all they owe, and what is due."""

    bucket: str
    loans: int
    owed: Money
    due: Money


@dataclass(frozen=True, slots=True)
class LateLoan:
    """A loan on which something is late."""

    standing: Standing

    @property
    def loan(self) -> Loan:
        """The loan."""
        return self.standing.loan

    @property
    def owed(self) -> Money:
        """All it owes."""
        return self.loan.terms.money(self.standing.owed.total)

    @property
    def due(self) -> Money:
        """What should be paid by now."""
        return self.loan.terms.money(self.standing.due.total)


@dataclass(frozen=True, slots=True)
class LoansAtRisk:
    """How the running loans stand: by how late they are, and those that are late the longest."""

    buckets: Sequence[LoansOfBucket]
    late: Sequence[LateLoan]


def loans_at_risk(day: date) -> list[LoansOfBucket]:
    """Return how the running loans stand on a day, by what they owe now, those in time first.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    return _counted(_running(day))


def late_loans(day: date, *, bucket: str, most: int) -> LoansAtRisk:
    """Return how the running loans stand on a day, and up to ``most`` that are late the longest.

    With ``bucket``, of those that are late by so many days.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    found = list(_running(day))
    late = [one for one in found if one.late_since and bucket in ("", one.bucket)]
    longest = nlargest(most, late, key=lambda one: (one.days_late, one.due.total))
    return LoansAtRisk(_counted(found), [LateLoan(one) for one in longest])


def _running(day: date) -> Iterator[Standing]:
    active = Loan.objects.filter(state=LoanState.ACTIVE).select_related("terms", "borrower")
    running = active.iterator(_PIECE)
    while piece := list(islice(running, _PIECE)):
        yield from standings(piece, day=day).values()


def _counted(found: Iterable[Standing]) -> list[LoansOfBucket]:
    loans: Counter[tuple[str, Bucket]] = Counter()
    owed: Counter[tuple[str, Bucket]] = Counter()
    due: Counter[tuple[str, Bucket]] = Counter()
    for one in found:
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
