"""Spreading anew what a loan owes, by a plan that two admins agreed.

Dues that become principal are written down, posted, and the plan begins. What was broken off in
between is carried on before anything else is done about the loan: it stands as it was agreed, and
was seen to be possible, for all that was owed then.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Self

from django.db import transaction

from core.clock import start_of
from loans.models import Loan, Restructuring, RestructuringState
from loans.plans import add_plan, due_days
from loans.schedule import Borrowing, InvalidBorrowing, Method
from loans.standing import Standing, standing_of
from transactions.lending import capitalise


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """How a loan is to be repaid from an instalment's day on: the months left, and the rate.

    With ``capitalises`` all that is overdue then becomes principal; else it stays due.
    """

    since: date
    months: int
    rate_ppm: int
    holiday_months: int
    capitalises: bool

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Return the plan that a payload stands for."""
        told = {name: payload[name] for name in cls.__dataclass_fields__}
        return cls(**{**told, "since": date.fromisoformat(payload["since"])})

    def payload(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return {**asdict(self), "since": self.since.isoformat()}

    def borrowing(self, loan: Loan, principal: int) -> Borrowing:
        """Return what is borrowed by it, when so much is left."""
        return Borrowing(
            principal=principal,
            months=self.months,
            rate_ppm=self.rate_ppm,
            method=Method(loan.terms.method),
            holiday_months=self.holiday_months,
        )


def plan_of(agreed: Restructuring) -> NewPlan:
    """Return the plan that was agreed."""
    return NewPlan(
        since=agreed.since,
        months=agreed.months,
        rate_ppm=agreed.rate_ppm,
        holiday_months=agreed.holiday_months,
        capitalises=agreed.capitalises,
    )


def finish_restructuring(loan: Loan) -> None:
    """Carry on with what was begun for a loan by a process that died since.

    Raises:
        BranchDown, Busy, OutcomeUnknown
    """
    begun = loan.restructurings.filter(
        state=RestructuringState.WAITING, capitalised__isnull=False
    ).select_related("loan__terms")
    for one in begun:
        carry_on(one)


def carry_on(agreed: Restructuring) -> bool:
    """Post what is written down of an agreed plan, and begin it; False: it cannot begin.

    Again is harmless.

    Raises:
        BranchDown, Busy, OutcomeUnknown
    """
    if agreed.capitalised:
        capitalise(
            agreed.loan.accounts,
            minor=agreed.capitalised,
            key=f"loan-restructuring:{agreed.loan_id}:{agreed.since:%F}",
            happened_at=start_of(agreed.since),
        )
    try:
        _begin_plan(agreed, standing_of(agreed.loan, day=agreed.since))
    except InvalidBorrowing as error:
        # Paid down meanwhile, by an earlier release of this.
        return lapse(agreed, error.message)
    return True


def lapse(agreed: Restructuring, words: str) -> bool:
    """Note why an agreed plan does not begin, and return False."""
    agreed.state, agreed.words = RestructuringState.LAPSED, words
    agreed.save(update_fields=["state", "words"])
    return False


@transaction.atomic
def _begin_plan(agreed: Restructuring, standing: Standing) -> None:
    loan = agreed.loan
    add_plan(
        loan,
        plan_of(agreed).borrowing(loan, standing.owed.principal),
        number=standing.plan.number + 1,
        since=agreed.since,
        days=due_days(loan.start or agreed.since, after=agreed.since, count=agreed.months),
    )
    agreed.state = RestructuringState.DONE
    agreed.save(update_fields=["state"])
