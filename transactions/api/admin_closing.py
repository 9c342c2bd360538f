"""Closing customers' accounts, and what that pays out."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.callers import caller_of
from accounts.api.fields import AccountNumberField
from core import clock
from core.api.keys import idempotency_key
from core.api.representation import decimal, given
from core.api.schema import operation
from core.api.serializers import AmountField, CurrencyField, DateField
from core.api.views import BankView
from transactions.account_desk import close_account, interest_at_closing
from transactions.api.accounts import known_account_number
from transactions.api.admin_accounts import (
    ACCOUNT,
    GOVERN,
    LOOK,
    GovernedAccountAnswer,
    ReasonBody,
    account_answer,
    note_look,
)
from transactions.overview import account_overview


class ClosingBody(ReasonBody):
    """An account to close, and where its interest goes, if it has earned any."""

    payout_account = AccountNumberField(required=False)


class InterestDueAnswer(Serializer[Any]):
    """What closing an account pays out; ``until`` is the last day that counts in it."""

    interest = AmountField()
    currency = CurrencyField()
    until = DateField(required=False)


class AccountClosing(BankView):
    """Closing accounts."""

    access: ClassVar = {"GET": LOOK, "POST": GOVERN}

    @operation(
        answer=InterestDueAnswer,
        example={"interest": "34.33", "currency": "INR", "until": "2026-03-01"},
    )
    def get(self, request: Request, number: str) -> Response:
        """Show what an account has earned and closing it would pay out."""
        account = known_account_number(number)
        note_look(request, account_overview(account))
        earned = interest_at_closing(account, now=clock.now())
        return Response(
            given(
                interest=decimal(earned.amount),
                currency=earned.amount.currency,
                until=earned.until and earned.until.isoformat(),
            )
        )

    @operation(
        answer=GovernedAccountAnswer,
        example={**ACCOUNT, "status": "closed", "balance": "0.00", "available": "0.00"},
        body=ClosingBody,
        body_example={"reason": "the owner moves abroad", "payout_account": "100000000025"},
        keyed=True,
    )
    def post(self, request: Request, number: str) -> Response:
        """Close an account for good. It must be at zero, with nothing on hold.

        What it has earned is paid to `payout_account`, another account of an owner at the same
        branch. Without one, an account that has earned something is not closed: `interest_due`.
        """
        key, account = idempotency_key(request), known_account_number(number)
        body = ClosingBody.read(request.data)
        close_account(
            account,
            admin=caller_of(request),
            key=key,
            reason=body["reason"],
            now=clock.now(),
            payout=body.get("payout_account"),
        )
        return account_answer(request, account)
