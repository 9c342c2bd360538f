"""Restructuring a loan: one officer proposes another plan, another admin approves it.

It holds from an instalment's day on. As that day begins, what is overdue becomes principal, or
stays due, and what is left is spread anew; the plans before it stay as they were.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from accounts.approvals import approvable
from accounts.models import Approval
from core import clock
from core.clock import bank_day
from core.errors import DomainError
from loans.finding import running_loan
from loans.models import Loan, LoanState, Restructuring, RestructuringState
from loans.opening import alone_with_loan
from loans.plans import due_days, falls_due
from loans.replanning import NewPlan, carry_on, lapse, plan_of
from loans.schedule import InvalidBorrowing, check, schedule
from loans.settling import finish_repayments
from loans.standing import standing_of
from transactions.asking_once import ask_once

RESTRUCTURE: Final = "loans.restructure_loan"
DAYS_OFFERED: Final = 3


class InvalidRestructuring(DomainError):
    """A loan cannot be restructured from this day; ``code`` says why."""

    code = "invalid_restructuring"


def days_offered(loan: Loan, *, now: datetime) -> Sequence[date]:
    """Return the next days from which a loan can be restructured."""
    if loan.start is None:
        return []
    return due_days(loan.start, after=bank_day(now), count=DAYS_OFFERED)


def propose_restructuring(  # a proposal is what these are
    number: int, plan: NewPlan, *, maker: int, key: str, reason: str, now: datetime
) -> Approval:
    """Propose another plan for a loan, once for each key; another admin must approve.

    Raises:
        UnknownLoan, LoanNotRunning
        InvalidRestructuring: the day is no instalment's, or not one of the next.
        InvalidBorrowing: a figure is out of bounds.
        InvalidText: the reason is empty, too long, or not one line.
        Refused: the key stands for another request.
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
    return ask_once(RESTRUCTURE, payload, maker=maker, key=key, reason=reason)


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
    # This one with them, where it was begun.
    finish_repayments(loan)
    agreed.refresh_from_db(fields=["state"])
    if agreed.state != RestructuringState.WAITING:
        return agreed.state == RestructuringState.DONE
    if loan.state != LoanState.ACTIVE:
        return lapse(agreed, _("Nothing is owed on this loan."))
    owed = standing_of(loan, day=agreed.since).owed
    left = owed.total if agreed.capitalises else owed.principal
    try:
        schedule(plan_of(agreed).borrowing(loan, left), start=agreed.since)
    except InvalidBorrowing as error:
        return lapse(agreed, error.message)
    if agreed.capitalises:
        agreed.capitalised = owed.dues
        agreed.save(update_fields=["capitalised"])
    return carry_on(agreed)
