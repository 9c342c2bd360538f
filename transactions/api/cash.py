"""Cash that customers pay in and take out themselves."""

from http import HTTPStatus
from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.callers import caller_of
from accounts.api.fields import AccountNumberField
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.keys import idempotency_key
from core.api.representation import decimal, decimal_of, given, instant
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    CurrencyField,
    InstantField,
    LineField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.views import BankView, caller_pk
from core.money import Money
from transactions.api.booking import LONGEST_MEMO, booked
from transactions.cash import CashRequest, deposit_cash, withdraw_as
from transactions.selectors import recorded_at
from transactions.services import Channel, Receipt

_ASKED: Final = {
    "account": "100000000017",
    "amount": "200.00",
    "currency": "INR",
    "memo": "tips",
}
_BOOKED: Final = {
    "id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55",
    **_ASKED,
    "channel": "machine",
    "recorded_at": "2026-03-02T09:30:00.123000Z",
    "balance_after": "12500.00",
}


class CashBody(StrictSerializer):
    """Cash to pay in or to take out."""

    account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    memo = LineField(longest=LONGEST_MEMO, required=False)


class CashAnswer(Serializer[Any]):
    """Cash that was booked."""

    id = UuidField()
    account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    memo = TextField(required=False)
    channel = TextField()
    recorded_at = InstantField()
    balance_after = AmountField(signed=True, required=False)


class DepositCreate(BankView):
    """Pay cash in."""

    access: ClassVar = {"POST": Access(CUSTOMER, scope="transfers:write")}

    @operation(
        answer=CashAnswer,
        example=_BOOKED,
        status=HTTPStatus.CREATED,
        body=CashBody,
        body_example=_ASKED,
        keyed=True,
    )
    def post(self, request: Request) -> Response:
        """Pay cash in at the machine of the account's branch, once for each idempotency key."""
        asked = _cash_request(request)
        receipt = deposit_cash(asked, now=clock.now())
        return _cash_booked(asked, receipt, balance_after=receipt.credit_after)


class WithdrawalCreate(BankView):
    """Take cash out."""

    access: ClassVar = {"POST": Access(CUSTOMER, scope="transfers:write")}

    @operation(
        answer=CashAnswer,
        example=_BOOKED,
        status=HTTPStatus.CREATED,
        body=CashBody,
        body_example=_ASKED,
        keyed=True,
    )
    def post(self, request: Request) -> Response:
        """Take cash out at the machine of the account's branch, once for each idempotency key."""
        asked = _cash_request(request)
        receipt = withdraw_as(caller_of(request), asked, now=clock.now())
        return _cash_booked(asked, receipt, balance_after=receipt.debit_after)


def _cash_request(request: Request) -> CashRequest:
    """Read a deposit or a withdrawal.

    Raises:
        DomainError: the first field that is not right.
    """
    key = idempotency_key(request)
    asked = CashBody.read(request.data)
    return CashRequest(
        user=caller_pk(request),
        key=key,
        channel=Channel.MACHINE,
        account=asked["account"],
        amount=Money.parse(asked["amount"], asked["currency"]),
        memo=asked.get("memo") or None,
    )


def _cash_booked(asked: CashRequest, receipt: Receipt, *, balance_after: int | None) -> Response:
    body = given(
        id=str(receipt.transfer_id),
        account=str(asked.account),
        amount=decimal(asked.amount),
        currency=asked.amount.currency,
        memo=asked.memo,
        channel=asked.channel,
        recorded_at=instant(recorded_at(receipt.transfer_id)),
        balance_after=decimal_of(balance_after, asked.amount.currency),
    )
    return booked(body, receipt)
