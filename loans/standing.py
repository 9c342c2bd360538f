"""How loans stand: what they owe, what of it is due, and since when it is late."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from loans.allocation import first_unpaid, oldest_unpaid, principal_due
from loans.models import Due, Loan, LoanCharge
from loans.plans import Plan, plans_of
from transactions.lending import Owed, owed_on


class Bucket(StrEnum):
    """How late a loan is."""

    CURRENT = "current"
    DAYS_30 = "1-30"
    DAYS_60 = "31-60"
    DAYS_90 = "61-90"
    BEYOND = "over-90"


_BUCKETS: Final = ((0, Bucket.CURRENT), (30, Bucket.DAYS_30), (60, Bucket.DAYS_60))
_LAST: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A loan on a day. ``due`` is what should be paid by then, ``owed`` all there is.

    ``late_since`` is the day of the oldest that is due and was not paid on its day.
    """

    loan: Loan
    plan: Plan
    owed: Owed
    due: Owed
    late_since: date | None
    day: date

    @property
    def days_late(self) -> int:
        """How many days something is late."""
        return (self.day - self.late_since).days if self.late_since else 0

    @property
    def bucket(self) -> Bucket:
        """How late the loan is, as the bank counts it."""
        for most, bucket in _BUCKETS:
            if self.days_late <= most:
                return bucket
        return Bucket.DAYS_90 if self.days_late <= _LAST else Bucket.BEYOND


def standings(loans: Collection[Loan], *, day: date) -> Mapping[int, Standing]:
    """Return how loans that were paid out stand on a day, by number.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    owed = owed_on([loan.accounts for loan in loans])
    plans, charges = plans_of(loans), _charges_of(loans)
    return {
        loan.pk: _standing(loan, plans[loan.pk], owed[loan.pk], charges[loan.pk], day)
        for loan in loans
        if loan.pk in plans
    }


def standing_of(loan: Loan, *, day: date) -> Standing:
    """Return how one loan stands on a day, as ``standings``."""
    return standings([loan], day=day)[loan.pk]


def _standing(
    loan: Loan, plan: Plan, owed: Owed, charges: Collection[LoanCharge], day: date
) -> Standing:
    lent, promised = plan.principal, plan.promised
    due = principal_due(promised, lent=lent, outstanding=owed.principal, until=day)
    firsts = [
        first_unpaid(promised, lent=lent, outstanding=owed.principal),
        *(
            oldest_unpaid(
                [(one.day, one.minor) for one in charges if one.kind == kind],
                getattr(owed, kind),
            )
            for kind in (Due.INTEREST, Due.FEE)
        ),
    ]
    late = [one for one in firsts if one is not None and one < day]
    return Standing(
        loan=loan,
        plan=plan,
        owed=owed,
        due=Owed(penalty=owed.penalty, fee=owed.fee, interest=owed.interest, principal=due),
        late_since=min(late, default=None),
        day=day,
    )


def _charges_of(loans: Collection[Loan]) -> Mapping[int, list[LoanCharge]]:
    found: dict[int, list[LoanCharge]] = defaultdict(list)
    for one in LoanCharge.objects.filter(loan__in=loans).order_by("day"):
        found[one.loan_id].append(one)
    return found
