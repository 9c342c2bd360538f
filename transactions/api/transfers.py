"""Transfers: previewed, sent and listed."""

from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID, uuid4

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
    BooleanField,
    CurrencyField,
    InstantField,
    LineField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.step_up import step_up_of
from core.api.views import BankView, caller_pk
from core.errors import DomainError
from core.money import Money
from transactions.api.booking import LONGEST_MEMO, booked
from transactions.api.filters import EntryFilters
from transactions.selectors import (
    TransferView,
    is_settling,
    recorded_at,
    transfer_of,
    transfers_of,
)
from transactions.services import (
    Channel,
    Receipt,
    TransferRequest,
    preview_as,
    transfer_as,
)
from transactions.statements.filters import wanted_of

_READ: Final = Access(CUSTOMER, scope="accounts:read")
_WRITE: Final = Access(CUSTOMER, scope="transfers:write")
_ASKED: Final = {
    "debit_account": "100000000017",
    "credit_account": "100000000025",
    "amount": "1250.50",
    "currency": "INR",
    "memo": "rent March",
}
_SENT: Final = {
    "id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55",
    **_ASKED,
    "recorded_at": "2026-03-02T09:30:00.123000Z",
    "debit_balance_after": "12500.00",
    "settling": False,
}
_SHOWN: Final = {
    **_SENT,
    "kind": "transfer",
    "channel": "api",
    "event_at": "2026-03-02T09:30:00Z",
    "is_reversed": False,
}


class CurrencyMissing(DomainError):
    """Amounts are compared in one currency only."""

    code = "currency_missing"

    def __init__(self) -> None:
        super().__init__("Say in which currency the amounts are.", field="currency")


class TransferBody(StrictSerializer):
    """A transfer to send."""

    debit_account = AccountNumberField()
    credit_account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    memo = LineField(longest=LONGEST_MEMO, required=False)


class PreviewAnswer(Serializer[Any]):
    """What a transfer would come to. With ``needs_step_up``, sending it takes a one-time code."""

    debit_account = AccountNumberField()
    credit_account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    memo = TextField(required=False)
    debit_balance_after = AmountField(signed=True, required=False)
    needs_step_up = BooleanField()


class SentAnswer(Serializer[Any]):
    """A transfer that was sent. ``settling``: the payee's branch has still to book it."""

    id = UuidField()
    debit_account = AccountNumberField()
    credit_account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    memo = TextField(required=False)
    recorded_at = InstantField()
    debit_balance_after = AmountField(signed=True, required=False)
    settling = BooleanField()


class ListedAnswer(Serializer[Any]):
    """A transfer in a list. Balances are those of the caller's accounts."""

    id = UuidField()
    debit_account = AccountNumberField()
    credit_account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    memo = TextField(required=False)
    kind = TextField()
    channel = TextField()
    event_at = InstantField()
    recorded_at = InstantField()
    debit_balance_after = AmountField(signed=True, required=False)
    credit_balance_after = AmountField(signed=True, required=False)
    is_reversed = BooleanField()
    reversed_by = UuidField(required=False)
    reverses = UuidField(required=False)


class TransferAnswer(ListedAnswer):
    """A transfer. ``settling``: the payee's branch has still to book it."""

    settling = BooleanField()


class TransfersAnswer(Serializer[Any]):
    """A page of transfers, newest first."""

    transfers = ListedAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class TransferFilters(EntryFilters):
    """Which transfers are wanted."""

    account = AccountNumberField(required=False, help_text="One of your accounts.")
    currency = CurrencyField(required=False, help_text="Needed beside amounts.")


class TransferList(BankView):
    """The caller's transfers."""

    access: ClassVar = {"GET": _READ, "POST": _WRITE}
    filters = TransferFilters

    @operation(
        answer=TransfersAnswer,
        example={
            "transfers": [{name: it for name, it in _SHOWN.items() if name != "settling"}],
            "has_more": False,
        },
    )
    def get(self, request: Request) -> Response:
        """List transfers from and to your accounts, newest first.

        What went from one of them to another comes once. Days are the bank's: `date_from` and
        `date_to` of the booking, `value_date` of when it happened.
        """
        page, filtered = self.page(request), self.filtered
        currency = filtered.get("currency")
        if currency is None and not {"amount_min", "amount_max"}.isdisjoint(filtered):
            raise CurrencyMissing
        found = transfers_of(
            caller_pk(request),
            account=filtered.get("account"),
            currency=currency,
            before=UUID(page.after[0]) if page.after else None,
            limit=page.sought,
            wanted=wanted_of(filtered, currency or "INR"),
        )
        answer = page.answer(
            "transfers",
            found,
            show=_listed,
            position=lambda transfer: [transfer.transfer_id.hex],
        )
        return Response(answer)

    @operation(
        answer=SentAnswer,
        example=_SENT,
        status=HTTPStatus.CREATED,
        body=TransferBody,
        body_example=_ASKED,
        keyed=True,
        step_up=True,
    )
    def post(self, request: Request) -> Response:
        """Send money, once for each idempotency key.

        A large amount needs a one-time code, except with an API key, which has a limit of its own.
        """
        asked = _asked(request, key=idempotency_key(request))
        receipt = transfer_as(
            caller_of(request), asked, step_up=partial(step_up_of, request), now=clock.now()
        )
        return booked(_sent(asked, receipt), receipt)


class TransferPreview(BankView):
    """What a transfer would come to."""

    access: ClassVar = {"POST": _WRITE}

    @operation(
        answer=PreviewAnswer,
        example={**_ASKED, "debit_balance_after": "12500.00", "needs_step_up": False},
        body=TransferBody,
        body_example=_ASKED,
    )
    def post(self, request: Request) -> Response:
        """Check a transfer without sending it: it is refused for the same reasons."""
        asked = _asked(request, key=str(uuid4()))
        preview = preview_as(caller_of(request), asked, now=clock.now())
        return Response(
            given(
                **_wish(asked),
                debit_balance_after=decimal_of(preview.debit_after, asked.amount.currency),
                needs_step_up=preview.needs_step_up,
            )
        )


class TransferDetail(BankView):
    """One transfer."""

    access: ClassVar = {"GET": _READ}

    @operation(answer=TransferAnswer, example=_SHOWN)
    def get(self, request: Request, transfer_id: UUID) -> Response:
        """Show a transfer from or to one of your accounts."""
        transfer = transfer_of(caller_pk(request), transfer_id=transfer_id)
        return Response({**_listed(transfer), "settling": transfer.settling})


def _asked(request: Request, *, key: str) -> TransferRequest:
    """Read a transfer's body.

    Raises:
        ValidationError, DomainError: naming the fields that are not right.
    """
    asked = TransferBody.read(request.data)
    return TransferRequest(
        user=caller_pk(request),
        key=key,
        channel=Channel.API,
        debit=asked["debit_account"],
        credit=asked["credit_account"],
        amount=Money.parse(asked["amount"], asked["currency"]),
        memo=asked.get("memo") or None,
    )


def _wish(asked: TransferRequest) -> dict[str, Any]:
    return {
        "debit_account": str(asked.debit),
        "credit_account": str(asked.credit),
        "amount": decimal(asked.amount),
        "currency": asked.amount.currency,
        "memo": asked.memo,
    }


def _sent(asked: TransferRequest, receipt: Receipt) -> dict[str, Any]:
    return given(
        id=str(receipt.transfer_id),
        **_wish(asked),
        recorded_at=instant(recorded_at(receipt.transfer_id)),
        debit_balance_after=decimal_of(receipt.debit_after, asked.amount.currency),
        settling=receipt.settling or _is_still_settling(receipt),
    )


def _is_still_settling(receipt: Receipt) -> bool:
    """Tell whether what was sent to another branch before has still to come there."""
    is_across = receipt.credit_after is None
    return receipt.replayed and is_across and is_settling(receipt.transfer_id)


def _listed(transfer: TransferView) -> dict[str, Any]:
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
        reversed_by=transfer.reversed_by and str(transfer.reversed_by),
        reverses=transfer.reverses and str(transfer.reverses),
    )
