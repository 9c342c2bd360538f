"""Plans of loans, as they hold: which instalments are due when, and the periods between them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from loans.allocation import Promised
from loans.models import Instalment, Loan, LoanPlan
from loans.quoting import borrowing_by
from loans.schedule import Borrowing, months_later, schedule


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with its instalments in the order of their days."""

    number: int
    since: date
    principal: int
    rate_ppm: int
    holiday_months: int
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
        plan.loan_id: Plan(
            plan.number,
            plan.since,
            plan.principal,
            plan.rate_ppm,
            plan.holiday_months,
            list(plan.instalments.all()),
        )
        for plan in kept.prefetch_related("instalments")
    }


def first_plan(loan: Loan, *, start: date) -> None:
    """Write the plan of a loan that is paid out on a day. Needs a transaction."""
    borrowing = borrowing_by(loan.terms, principal=loan.amount, months=loan.months)
    days = due_days(start, after=start, count=loan.months)
    add_plan(loan, borrowing, number=1, since=start, days=days)


def add_plan(
    loan: Loan, borrowing: Borrowing, *, number: int, since: date, days: Sequence[date]
) -> None:
    """Write a plan that holds from a day on, with an instalment on each of the ``days``.

    Needs a transaction.

    Raises:
        InvalidBorrowing: too little is left to be spread; nothing was written.
    """
    instalments = schedule(borrowing, start=since)
    plan = LoanPlan.objects.create(
        loan=loan,
        number=number,
        since=since,
        principal=borrowing.principal,
        rate_ppm=borrowing.rate_ppm,
        holiday_months=borrowing.holiday_months,
    )
    Instalment.objects.bulk_create(
        Instalment(
            plan=plan,
            number=one.number,
            due_date=day,
            principal=one.principal,
            interest=one.interest,
            balance_after=one.balance_after,
        )
        for day, one in zip(days, instalments, strict=True)
    )


def due_days(start: date, *, after: date, count: int) -> list[date]:
    """Return the next days later than one on which periods of a loan end, paid out on ``start``."""
    first = (after.year - start.year) * 12 + after.month - start.month
    if months_later(start, first) <= after:
        first += 1
    return [months_later(start, first + place) for place in range(count)]


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
