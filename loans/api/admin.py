"""Loans as staff see them, and what officers propose about them to a second admin."""

from http import HTTPStatus
from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.access_log import note_all_viewed
from accounts.api.approvals import REQUEST, RequestAnswer, request_shown
from accounts.api.fields import UserIdField
from accounts.reasons import LONGEST_REASON
from core import clock
from core.api.access import ADMIN, EMPLOYEE, Access
from core.api.keys import idempotency_key
from core.api.schema import operation
from core.api.serializers import (
    BooleanField,
    ChoiceField,
    DateField,
    IntegerField,
    LineField,
    ListField,
    StrictSerializer,
    TextField,
)
from core.api.views import BankView, caller_pk
from loans.api import answers
from loans.api.numbers import known_loan_number
from loans.deciding import REVIEW
from loans.models import Restructuring, RestructuringState
from loans.replanning import NewPlan
from loans.restructuring import DAYS_OFFERED, days_offered, propose_restructuring
from loans.schedule import MOST_MONTHS, InvalidBorrowing, percent, ppm_of
from loans.showing import LoanShown, loan_known
from loans.writing_off import propose_write_off

_LOOK: Final = Access(EMPLOYEE, ADMIN, scope="admin:read", permission="loans.view_loan")
_PROPOSE: Final = Access(ADMIN, scope="admin:write", permission=REVIEW)
_PLAN: Final = {
    "since": "2026-05-02",
    "months": 24,
    "rate_percent": "9.5",
    "holiday_months": 2,
    "capitalises": True,
}
_LOAN: Final = {
    **answers.LOAN,
    "borrower": "10000000017",
    "restructuring_days": ["2026-05-02", "2026-06-02", "2026-07-02"],
    "restructurings": [{**_PLAN, "state": "waiting"}],
}


class LoanReasonBody(StrictSerializer):
    """Why."""

    reason = LineField(least=1, longest=LONGEST_REASON)


class RestructuringBody(LoanReasonBody):
    """How a loan is to be repaid from one of its next instalments on, and why."""

    since = DateField(help_text="One of the loan's `restructuring_days`.")
    months = IntegerField(least=1, most=MOST_MONTHS, help_text="Left from then on.")
    rate_percent = TextField(help_text="A year.", pattern="^[0-9]{1,3}([.][0-9]{1,4})?$")
    holiday_months = IntegerField(
        least=0, most=MOST_MONTHS, required=False, default=0, help_text="At first: interest alone."
    )
    capitalises = BooleanField(
        required=False, default=False, help_text="What is overdue becomes principal; else it stays."
    )


class RestructuringAnswer(Serializer[Any]):
    """Another plan of a loan; ``words`` say why it could not be."""

    since = DateField()
    months = IntegerField(least=1, most=MOST_MONTHS)
    rate_percent = TextField()
    holiday_months = IntegerField(least=0, most=MOST_MONTHS)
    capitalises = BooleanField()
    state = ChoiceField(RestructuringState.values)
    words = TextField(required=False)


class GovernedLoanAnswer(answers.LoanAnswer):
    """A loan as staff see it, with what was agreed of it since."""

    borrower = UserIdField()
    restructuring_days = ListField(child=DateField(), most=DAYS_OFFERED)
    restructurings = RestructuringAnswer(many=True)


class GovernedLoan(BankView):
    """One customer's loan."""

    access: ClassVar = {"GET": _LOOK}

    @operation(answer=GovernedLoanAnswer, example=_LOAN)
    def get(self, request: Request, loan_number: str) -> Response:
        """Show a loan with its schedule. Whose it is can see that you looked."""
        now = clock.now()
        found = loan_known(known_loan_number(loan_number), now=now)
        subjects = [found.loan.borrower_id]
        note_all_viewed(viewer=caller_pk(request), subjects=subjects, what="loan")
        days = [day.isoformat() for day in days_offered(found.loan, now=now)]
        return Response(_shown(found, days))


class LoanRestructuring(BankView):
    """Proposing another plan for a loan."""

    access: ClassVar = {"POST": _PROPOSE}

    @operation(
        answer=RequestAnswer,
        example=REQUEST,
        status=HTTPStatus.ACCEPTED,
        body=RestructuringBody,
        body_example={**_PLAN, "reason": "ill since March"},
        keyed=True,
    )
    def post(self, request: Request, loan_number: str) -> Response:
        """Propose another plan for a loan, from an instalment on. A second admin approves."""
        key = idempotency_key(request)
        body: dict[str, Any] = RestructuringBody.read(request.data)
        try:
            asked = propose_restructuring(
                known_loan_number(loan_number),
                _plan_in(body),
                maker=caller_pk(request),
                key=key,
                reason=body["reason"],
                now=clock.now(),
            )
        except InvalidBorrowing as error:
            if error.field == "rate":
                error.field = "rate_percent"
            raise
        return Response(request_shown(asked), status=HTTPStatus.ACCEPTED)


class LoanWriteOff(BankView):
    """Proposing to write a loan off."""

    access: ClassVar = {"POST": _PROPOSE}

    @operation(
        answer=RequestAnswer,
        example=REQUEST,
        status=HTTPStatus.ACCEPTED,
        body=LoanReasonBody,
        body_example={"reason": "cannot be found"},
        keyed=True,
    )
    def post(self, request: Request, loan_number: str) -> Response:
        """Propose to write a loan off as the bank's loss. A second admin approves.

        What waits for that already is answered again.
        """
        key = idempotency_key(request)
        reason = LoanReasonBody.read(request.data)["reason"]
        number = known_loan_number(loan_number)
        asked = propose_write_off(number, maker=caller_pk(request), key=key, reason=reason)
        return Response(request_shown(asked), status=HTTPStatus.ACCEPTED)


def _plan_in(body: dict[str, Any]) -> NewPlan:
    return NewPlan(
        since=body["since"],
        months=body["months"],
        rate_ppm=ppm_of(body["rate_percent"]),
        holiday_months=body["holiday_months"],
        capitalises=body["capitalises"],
    )


def _shown(found: LoanShown, days: list[str]) -> dict[str, Any]:
    loan = found.loan
    return {
        **answers.loan_shown_in_api(found),
        "borrower": str(loan.borrower.number),
        "restructuring_days": days,
        "restructurings": [_change(one) for one in loan.restructurings.all()],
    }


def _change(one: Restructuring) -> dict[str, Any]:
    told = {
        "since": one.since.isoformat(),
        "months": one.months,
        "rate_percent": percent(one.rate_ppm),
        "holiday_months": one.holiday_months,
        "capitalises": one.capitalises,
        "state": one.state,
    }
    return {**told, "words": one.words} if one.words else told
