"""Holds: money set aside for a payee, then captured or released."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from django.urls import reverse
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.callers import caller_of
from accounts.api.fields import AccountNumberField
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.keys import REPLAYED, idempotency_key
from core.api.pages import PageFilters
from core.api.representation import decimal_of, given, instant
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    BooleanField,
    ChoiceField,
    CurrencyField,
    InstantField,
    LineField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.step_up import step_up_of
from core.api.views import BankView, caller_pk
from core.money import Money
from transactions.api.booking import LONGEST_MEMO, booked
from transactions.holding import (
    STATES,
    HoldEnding,
    HoldRequest,
    capture_hold,
    hold_of,
    holds_of,
    place_hold_as,
    release_hold,
)
from transactions.ledger.reads import Hold
from transactions.selectors import recorded_at

_READ: Final = Access(CUSTOMER, scope="accounts:read")
_WRITE: Final = Access(CUSTOMER, scope="holds:write")
_ASKED: Final = {
    "account": "100000000017",
    "payee_account": "100000000025",
    "amount": "1250.50",
    "currency": "INR",
    "expires_at": "2026-03-09T09:30:00Z",
    "memo": "room 12",
}
_HOLD: Final = {
    "id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55",
    **_ASKED,
    "state": "open",
    "placed_at": "2026-03-02T09:30:00.123000Z",
}
_CAPTURED: Final = {
    "id": "019a8f6e-9c10-7a02-8d41-5b1d6f0e2c77",
    "hold_id": _HOLD["id"],
    "recorded_at": "2026-03-03T11:00:00.456000Z",
}


class HoldBody(StrictSerializer):
    """Money to set aside."""

    account = AccountNumberField()
    payee_account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    expires_at = InstantField()
    memo = LineField(longest=LONGEST_MEMO, required=False)


class CaptureBody(StrictSerializer):
    """What to pay of a hold: an amount in a currency, or all of it."""

    amount = AmountField(required=False)
    currency = CurrencyField(required=False)
    memo = LineField(longest=LONGEST_MEMO, required=False)

    def validate(self, attrs: Any) -> Any:
        """Check that amount and currency come together.

        Raises:
            ValidationError
        """
        for name, other in (("amount", "currency"), ("currency", "amount")):
            if name in attrs and other not in attrs:
                message = f"This is needed beside {name}."
                raise ValidationError({other: [message]}, code="required")
        return attrs


class ReleaseBody(StrictSerializer):
    """Nothing needs to be said."""


class HoldAnswer(Serializer[Any]):
    """Money set aside, and what became of it."""

    id = UuidField()
    account = AccountNumberField()
    payee_account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    state = ChoiceField(STATES)
    memo = TextField(required=False)
    placed_at = InstantField()
    expires_at = InstantField()
    ended_at = InstantField(required=False)
    captured = AmountField(required=False)
    transfer_id = UuidField(required=False)


class HoldsAnswer(Serializer[Any]):
    """A page of holds, newest first."""

    holds = HoldAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class CapturedAnswer(Serializer[Any]):
    """The transfer by which a hold was paid."""

    id = UuidField()
    hold_id = UuidField()
    recorded_at = InstantField()


class HoldFilters(PageFilters):
    """Which holds are wanted."""

    account = AccountNumberField(required=False, help_text="One of your accounts.")
    state = ChoiceField(STATES, required=False)


class HoldList(BankView):
    """The holds on the caller's accounts, and for them."""

    access: ClassVar = {"GET": _READ, "POST": _WRITE}
    filters = HoldFilters

    @operation(answer=HoldsAnswer, example={"holds": [_HOLD], "has_more": False})
    def get(self, request: Request) -> Response:
        """List what is set aside on your accounts and for them, newest first."""
        page = self.page(request)
        found = holds_of(
            caller_pk(request),
            account=self.filtered.get("account"),
            state=self.filtered.get("state"),
            before=UUID(page.after[0]) if page.after else None,
            limit=page.sought,
        )
        answer = page.answer("holds", found, show=_hold, position=lambda held: [held.hold_id.hex])
        return Response(answer)

    @operation(
        answer=HoldAnswer,
        example=_HOLD,
        status=HTTPStatus.CREATED,
        body=HoldBody,
        body_example=_ASKED,
        keyed=True,
        step_up=True,
    )
    def post(self, request: Request) -> Response:
        """Set money aside for a payee at the same branch, for 31 days at most.

        It counts against your limits at once. The payee, and you, can capture it or release it. A
        large amount needs a one-time code, except with an API key, which has a limit of its own.
        """
        key = idempotency_key(request)
        asked = HoldBody.read(request.data)
        wish = HoldRequest(
            user=caller_pk(request),
            key=key,
            account=asked["account"],
            payee=asked["payee_account"],
            amount=Money.parse(asked["amount"], asked["currency"]),
            expires_at=asked["expires_at"],
            memo=asked.get("memo") or None,
        )
        receipt = place_hold_as(
            caller_of(request), wish, step_up=partial(step_up_of, request), now=clock.now()
        )
        held = hold_of(wish.user, hold_id=receipt.hold_id)
        headers = {"Location": reverse("api-hold", args=[receipt.hold_id])}
        if receipt.replayed:
            headers[REPLAYED] = "true"
        return Response(_hold(held), status=HTTPStatus.CREATED, headers=headers)


class HoldDetail(BankView):
    """One hold."""

    access: ClassVar = {"GET": _READ}

    @operation(answer=HoldAnswer, example=_HOLD)
    def get(self, request: Request, hold_id: UUID) -> Response:
        """Show a hold on one of your accounts, or for one."""
        return Response(_hold(hold_of(caller_pk(request), hold_id=hold_id)))


class HoldCapture(BankView):
    """Paying what was set aside."""

    access: ClassVar = {"POST": _WRITE}

    @operation(
        answer=CapturedAnswer,
        example=_CAPTURED,
        status=HTTPStatus.CREATED,
        body=CaptureBody,
        body_example={"amount": "1000.00", "currency": "INR"},
        keyed=True,
    )
    def post(self, request: Request, hold_id: UUID) -> Response:
        """Pay a hold to its payee, or a part of it, and free the rest."""
        key = idempotency_key(request)
        asked = CaptureBody.read(request.data)
        ending = HoldEnding(
            user=caller_pk(request),
            key=key,
            hold_id=hold_id,
            amount=_part(asked),
            memo=asked.get("memo") or None,
        )
        receipt = capture_hold(ending, now=clock.now())
        answer = {
            "id": str(receipt.transfer_id),
            "hold_id": str(hold_id),
            "recorded_at": instant(recorded_at(receipt.transfer_id)),
        }
        return booked(answer, receipt)


class HoldRelease(BankView):
    """Giving up what was set aside."""

    access: ClassVar = {"POST": _WRITE}

    @operation(answer=HoldAnswer, example=_HOLD, body=ReleaseBody, body_example={}, keyed=True)
    def post(self, request: Request, hold_id: UUID) -> Response:
        """Free what a hold has set aside, and pay nothing."""
        key = idempotency_key(request)
        ReleaseBody.read(request.data)
        user = caller_pk(request)
        is_new = release_hold(HoldEnding(user=user, key=key, hold_id=hold_id), now=clock.now())
        return Response(
            _hold(hold_of(user, hold_id=hold_id)), headers=None if is_new else {REPLAYED: "true"}
        )


def _part(asked: Mapping[str, str]) -> Money | None:
    """Return the amount to capture; None for all of it.

    Raises:
        InvalidAmount, UnknownCurrency
    """
    return Money.parse(asked["amount"], asked["currency"]) if "amount" in asked else None


def _hold(held: Hold) -> dict[str, Any]:
    return given(
        id=str(held.hold_id),
        account=str(held.account),
        payee_account=str(held.payee),
        amount=decimal_of(held.amount, held.currency),
        currency=held.currency,
        state=held.state,
        memo=held.memo or None,
        placed_at=instant(held.placed_at),
        expires_at=instant(held.expires_at),
        ended_at=held.ended_at and instant(held.ended_at),
        captured=decimal_of(held.captured or None, held.currency),
        transfer_id=held.transfer_id and str(held.transfer_id),
    )
