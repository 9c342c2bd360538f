"""Transfers."""

from typing import Any, ClassVar
from uuid import UUID

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
from transactions.selectors import TransferView, recorded_at, transfer_of
from transactions.services import Channel, Receipt, TransferRequest, transfer_funds


class TransferBody(StrictSerializer):
    """The body of ``POST /api/v1/transfers``."""

    debit_account = TextField()
    credit_account = TextField()
    amount = TextField()
    currency = TextField()
    memo = TextField(required=False)


class TransferCreate(BankView):
    """Send money."""

    access: ClassVar = {"POST": Access(CUSTOMER, scope="transfers:write")}

    def post(self, request: Request) -> Response:
        """Post one transfer, once for each idempotency key."""
        key = idempotency_key(request)
        body = TransferBody(data=request.data)
        body.is_valid(raise_exception=True)
        asked = _transfer_request(body.validated_data, user=caller_pk(request), key=key)
        receipt = transfer_funds(asked, now=clock.now())
        return booked(_receipt(asked, receipt), receipt)


class TransferDetail(BankView):
    """One transfer."""

    access: ClassVar = {"GET": Access(CUSTOMER, scope="accounts:read")}

    def get(self, request: Request, transfer_id: UUID) -> Response:
        """Show a transfer from or to one of the caller's accounts."""
        return Response(_transfer(transfer_of(caller_pk(request), transfer_id=transfer_id)))


def _transfer_request(body: dict[str, str], *, user: int, key: str) -> TransferRequest:
    """Read a transfer's body.

    Raises:
        DomainError: the first field that is not right.
    """
    return TransferRequest(
        user=user,
        key=key,
        channel=Channel.API,
        debit=parse_account_number(body["debit_account"], field="debit_account"),
        credit=parse_account_number(body["credit_account"], field="credit_account"),
        amount=Money.parse(body["amount"], body["currency"]),
        memo=memo_of(body),
    )


def _receipt(asked: TransferRequest, receipt: Receipt) -> dict[str, Any]:
    return given(
        id=str(receipt.transfer_id),
        debit_account=str(asked.debit),
        credit_account=str(asked.credit),
        amount=decimal(asked.amount),
        currency=asked.amount.currency,
        memo=asked.memo,
        recorded_at=instant(recorded_at(receipt.transfer_id)),
        debit_balance_after=decimal_of(receipt.debit_after, asked.amount.currency),
    )


def _transfer(transfer: TransferView) -> dict[str, Any]:
    return given(
        id=str(transfer.transfer_id),
        debit_account=str(transfer.debit.number),
        credit_account=str(transfer.credit.number),
        amount=decimal(transfer.amount),
        currency=transfer.amount.currency,
        memo=transfer.memo or None,
        kind=transfer.kind,
        channel=transfer.channel,
        event_at=instant(transfer.event_at),
        recorded_at=instant(transfer.recorded_at),
        debit_balance_after=decimal(transfer.debit_after),
        credit_balance_after=decimal(transfer.credit_after),
        is_reversed=transfer.is_reversed,
    )
