"""Limits and overdrafts of all customers' accounts."""

from http import HTTPStatus
from typing import ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.approvals import REQUEST, RequestAnswer, request_shown
from accounts.api.callers import caller_of
from accounts.reasons import LONGEST_REASON
from core import clock
from core.api.keys import idempotency_key
from core.api.representation import given
from core.api.schema import operation
from core.api.serializers import AmountField, CurrencyField, LineField, StrictSerializer
from core.api.views import BankView, caller_pk
from transactions.account_desk import ask_overdraft, change_account_limits
from transactions.api.accounts import known_account_number
from transactions.api.admin_accounts import GOVERN, LOOK, note_look
from transactions.api.limits import LIMITS, LimitsAnswer, LimitsBody, limits_read, limits_shown
from transactions.limits.changing import LimitsRequest, limits_view
from transactions.overview import account_overview

_REASON: Final = "agreed with the owner"


class GovernedLimitsBody(LimitsBody):
    """Limits to set; ``null`` lifts one, and what is missing stays as it is."""

    reason = LineField(least=1, longest=LONGEST_REASON)


class OverdraftBody(StrictSerializer):
    """What an account may owe."""

    currency = CurrencyField()
    overdraft_limit = AmountField()
    reason = LineField(least=1, longest=LONGEST_REASON)


class GovernedLimitsAnswer(LimitsAnswer):
    """The limits of an account, and the approval that raising waits for, if it does."""

    approval = RequestAnswer(required=False)


class GovernedLimits(BankView):
    """The limits of a customer's account."""

    access: ClassVar = {"GET": LOOK, "PATCH": GOVERN}

    @operation(answer=LimitsAnswer, example=LIMITS)
    def get(self, request: Request, number: str) -> Response:
        """Show what an account may owe and spend. Who holds it can see that you looked."""
        account = known_account_number(number)
        note_look(request, account_overview(account))
        return Response(limits_shown(limits_view(account, now=clock.now())))

    @operation(
        answer=GovernedLimitsAnswer,
        example={**LIMITS, "raises": [], "approval": REQUEST},
        body=GovernedLimitsBody,
        body_example={"currency": "INR", "daily_limit": "80000.00", "reason": _REASON},
        keyed=True,
    )
    def patch(self, request: Request, number: str) -> Response:
        """Change what an account may spend.

        Lowering counts at once. Raising is done once a second admin approves, without cooling off.
        """
        key = idempotency_key(request)
        asked, reason = _asked(GovernedLimitsBody, request, number)
        now = clock.now()
        approval = change_account_limits(
            asked, admin=caller_of(request), key=key, reason=reason, now=now
        )
        note_look(request, account_overview(asked.account))
        shown = limits_shown(limits_view(asked.account, now=now))
        return Response(
            given(**shown, approval=None if approval is None else request_shown(approval))
        )


class GovernedOverdraft(BankView):
    """What a customer's account may owe."""

    access: ClassVar = {"PUT": GOVERN}

    @operation(
        answer=RequestAnswer,
        example=REQUEST,
        status=HTTPStatus.ACCEPTED,
        body=OverdraftBody,
        body_example={"currency": "INR", "overdraft_limit": "10000.00", "reason": _REASON},
        keyed=True,
    )
    def put(self, request: Request, number: str) -> Response:
        """Ask that an account may owe so much. A second admin approves."""
        key = idempotency_key(request)
        asked, reason = _asked(OverdraftBody, request, number)
        approval = ask_overdraft(
            asked, admin=caller_of(request), key=key, reason=reason, now=clock.now()
        )
        return Response(request_shown(approval), status=HTTPStatus.ACCEPTED)


def _asked(
    kind: type[StrictSerializer], request: Request, number: str
) -> tuple[LimitsRequest, str]:
    account = known_account_number(number)
    checked = kind.read(request.data)
    asked = LimitsRequest(
        user=caller_pk(request),
        account=account,
        currency=checked["currency"],
        wanted=limits_read(checked),
    )
    return asked, checked["reason"]
