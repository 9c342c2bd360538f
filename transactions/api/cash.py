"""Cash that customers pay in and take out themselves."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.numbers import parse_account_number
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.keys import idempotency_key
from core.api.representation import decimal, decimal_of, given, instant
from core.api.serializers import StrictSerializer, TextField
from core.api.views import BankView, caller_pk
from core.money import Money
from transactions.api.booking import booked, memo_of
from transactions.cash import CashRequest, deposit_cash, withdraw_cash
from transactions.selectors import recorded_at
from transactions.services import Channel, Receipt


class CashBody(StrictSerializer):
    """The body of ``POST /api/v1/deposits`` and of ``POST /api/v1/withdrawals``."""

    account = TextField()
    amount = TextField()
    currency = TextField()
    memo = TextField(required=False)


class DepositCreate(BankView):
    """Pay cash in."""

    access: ClassVar = {"POST": Access(CUSTOMER, scope="transfers:write")}

    def post(self, request: Request) -> Response:
        """Book one deposit, once for each idempotency key."""
        asked = _cash_request(request)
        receipt = deposit_cash(asked, now=clock.now())
        return _cash_booked(asked, receipt, balance_after=receipt.credit_after)


class WithdrawalCreate(BankView):
    """Take cash out."""

    access: ClassVar = {"POST": Access(CUSTOMER, scope="transfers:write")}

    def post(self, request: Request) -> Response:
        """Book one withdrawal, once for each idempotency key."""
        asked = _cash_request(request)
        receipt = withdraw_cash(asked, now=clock.now())
        return _cash_booked(asked, receipt, balance_after=receipt.debit_after)


def _cash_request(request: Request) -> CashRequest:
    """Read a deposit or a withdrawal.

    Raises:
        DomainError: the first field that is not right.
    """
    key = idempotency_key(request)
    body = CashBody(data=request.data)
    body.is_valid(raise_exception=True)
    asked = body.validated_data
    return CashRequest(
        user=caller_pk(request),
        key=key,
        channel=Channel.MACHINE,
        account=parse_account_number(asked["account"]),
        amount=Money.parse(asked["amount"], asked["currency"]),
        memo=memo_of(asked),
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
