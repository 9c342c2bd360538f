"""Restructuring a loan: one officer proposes another plan, another admin approves it.

It holds from an instalment's day on. As that day begins, what is overdue becomes principal, or
stays due, and what is left is spread anew; the plans before it stay as they were.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final, Self

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.approvals import approvable, ask_approval
from accounts.models import Approval
from core import clock
from core.clock import bank_day
from core.errors import DomainError
from loans.finding import running_loan
from loans.models import Loan, LoanState, Restructuring, RestructuringState
from loans.opening import alone_with_loan
from loans.plans import add_plan, due_days, falls_due
from loans.schedule import Borrowing, InvalidBorrowing, Method, check, schedule
from loans.settling import finish_repayments, post_capitalised
from loans.standing import Standing, standing_of

RESTRUCTURE: Final = "loans.restructure_loan"
DAYS_OFFERED: Final = 3


class InvalidRestructuring(DomainError):
    """A loan cannot be restructured from this day; ``code`` says why."""

    code = "invalid_restructuring"


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


def days_offered(loan: Loan, *, now: datetime) -> Sequence[date]:
    """Return the next days from which a loan can be restructured."""
    if loan.start is None:
        return []
    return due_days(loan.start, after=bank_day(now), count=DAYS_OFFERED)


def propose_restructuring(
    number: int, plan: NewPlan, *, maker: int, reason: str, now: datetime
) -> Approval:
    """Propose another plan for a loan; another admin must approve.

    Raises:
        UnknownLoan, LoanNotRunning
        InvalidRestructuring: the day is no instalment's, or not one of the next.
        InvalidBorrowing: a figure is out of bounds.
        InvalidText: the reason is empty, too long, or not one line.
        BranchDown, OutcomeUnknown: its branch does not answer.
    """
    loan = running_loan(number)
    _check(loan, plan, now=now)
    payload = {
        "loan": str(number),
        "account": str(loan.account),
        "person": loan.borrower_id,
        **plan.payload(),
    }
    return ask_approval(maker=maker, action=RESTRUCTURE, payload=payload, reason=reason)


def restructure_due(loans: Collection[Loan], *, day: date) -> int:
    """Restructure those of some loans for which that was approved from a day on; return how many.

    Each once, however often it is called, and wherever it was broken off.

    Raises:
        BranchDown, Busy, OutcomeUnknown: doing it again is harmless.
    """
    waiting = Restructuring.objects.filter(
        loan__in=loans, since__lte=day, state=RestructuringState.WAITING
    )
    done = 0
    for one in waiting.select_related("loan__terms"):
        with alone_with_loan(one.loan.application_id):
            one.refresh_from_db(fields=["state", "capitalised"])
            if one.state == RestructuringState.WAITING:
                done += _carry_out(one)
    return done


def _same_day(payload: Mapping[str, Any]) -> Collection[str]:
    return [f"{payload['loan']}/{payload['since']}"]


@approvable(RESTRUCTURE, about=_same_day)
def _restructure(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:
    loan, plan = running_loan(int(payload["loan"])), NewPlan.read(payload)
    _check(loan, plan, now=clock.now())
    figures = asdict(plan)
    Restructuring.objects.update_or_create(
        loan=loan,
        since=figures.pop("since"),
        defaults={**figures, "asked_by_id": maker, "approved_by_id": checker},
    )
    return {"since": payload["since"]}


def _check(loan: Loan, plan: NewPlan, *, now: datetime) -> None:
    if plan.since <= bank_day(now) or not (loan.start and falls_due(loan.start, plan.since)):
        message = _("Choose the day of an instalment that is still to come.")
        raise InvalidRestructuring(message, code="not_an_instalment_day", field="since")
    if plan.since > days_offered(loan, now=now)[-1]:
        message = _("Choose one of the next %(count)s instalments.") % {"count": DAYS_OFFERED}
        raise InvalidRestructuring(message, code="day_too_far", field="since")
    # That nothing of the principal is left is nothing that a plan can mend.
    check(plan.borrowing(loan, standing_of(loan, day=bank_day(now)).owed.principal))


def _carry_out(agreed: Restructuring) -> bool:
    """Restructure a loan that nobody else is at; False: it could not be done, for what is noted."""
    loan = agreed.loan
    finish_repayments(loan)
    if loan.state != LoanState.ACTIVE:
        return _lapse(agreed, _("Nothing is owed on this loan."))
    owed = standing_of(loan, day=agreed.since).owed
    left = owed.total if agreed.capitalises else owed.principal
    try:
        schedule(_plan_of(agreed).borrowing(loan, left), start=agreed.since)
    except InvalidBorrowing as error:
        return _lapse(agreed, error.message)
    if agreed.capitalises:
        _capitalise(agreed, owed.dues)
    _begin_plan(agreed, standing_of(loan, day=agreed.since))
    return True


def _capitalise(agreed: Restructuring, dues: int) -> None:
    """Make dues principal; what was written down before is posted under its key again."""
    if agreed.capitalised is None:
        agreed.capitalised = dues
        agreed.save(update_fields=["capitalised"])
    post_capitalised(agreed)


@transaction.atomic
def _begin_plan(agreed: Restructuring, standing: Standing) -> None:
    loan = agreed.loan
    add_plan(
        loan,
        _plan_of(agreed).borrowing(loan, standing.owed.principal),
        number=standing.plan.number + 1,
        since=agreed.since,
        days=due_days(loan.start or agreed.since, after=agreed.since, count=agreed.months),
    )
    agreed.state = RestructuringState.DONE
    agreed.save(update_fields=["state"])


def _plan_of(agreed: Restructuring) -> NewPlan:
    return NewPlan(
        since=agreed.since,
        months=agreed.months,
        rate_ppm=agreed.rate_ppm,
        holiday_months=agreed.holiday_months,
        capitalises=agreed.capitalises,
    )


def _lapse(agreed: Restructuring, words: str) -> bool:
    agreed.state, agreed.words = RestructuringState.LAPSED, words
    agreed.save(update_fields=["state", "words"])
    return False
