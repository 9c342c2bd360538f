"""Plans of loans, as they hold: which instalments are due when, and the periods between them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from loans.allocation import Promised
from loans.models import Instalment, Loan, LoanPlan
from loans.schedule import months_later


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its instalments in the order of their days."""

    number: int
    since: date
    principal: int
    instalments: Sequence[Instalment]

    @property
    def promised(self) -> list[Promised]:
        """What of the principal is promised for which day."""
        return [Promised(one.due_date, one.principal) for one in self.instalments]

    def due_on(self, day: date) -> Instalment | None:
        """Return the instalment of a day, if there is one."""
        return next((one for one in self.instalments if one.due_date == day), None)

    def next_after(self, day: date) -> Instalment | None:
        """Return the first instalment later than a day, if there is one."""
        return next((one for one in self.instalments if one.due_date > day), None)


def plans_of(loans: Collection[Loan]) -> Mapping[int, Plan]:
    """Return the plans that hold, by the loans' numbers."""
    kept = (
        LoanPlan.objects.filter(loan__in=loans).order_by("loan_id", "-number").distinct("loan_id")
    )
    return {
        plan.loan_id: Plan(plan.number, plan.since, plan.principal, list(plan.instalments.all()))
        for plan in kept.prefetch_related("instalments")
    }


def falls_due(start: date, day: date) -> bool:
    """Tell whether a period of a loan paid out on ``start`` ends on a day."""
    months = (day.year - start.year) * 12 + day.month - start.month
    return months > 0 and months_later(start, months) == day


def days_of_period(start: date, day: date) -> int:
    """Return how many days the period has that a day lies in, of a loan paid out on ``start``."""
    months = (day.year - start.year) * 12 + day.month - start.month
    if months_later(start, months) > day:
        months -= 1
    return (months_later(start, months + 1) - months_later(start, months)).days
