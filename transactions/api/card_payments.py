"""Payments by card, for the bank's card processor: authorised, captured, released."""

import re
from datetime import date
from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from django.urls import reverse
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.callers import caller_of
from core import clock
from core.api.access import ADMIN, Access
from core.api.keys import REPLAYED, idempotency_key
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    CurrencyField,
    LineField,
    StrictSerializer,
    TextField,
)
from core.api.views import BankView, caller_pk
from core.money import Money
from transactions.api.cards import PAYMENT, CardPaymentAnswer, NothingBody, payment_answer
from transactions.card_payments.authorising import Authorisation, authorise_payment
from transactions.card_payments.ending import (
    PaymentEnding,
    capture_payment,
    payment_of,
    release_payment,
)
from transactions.card_payments.models import CardPayment
from transactions.card_payments.showing import payment_shown

_CHARGE: Final = Access(ADMIN, scope="cards:charge", permission="transactions.charge_cards")
_LONGEST_MERCHANT: Final = 60
_MONTH: Final = re.compile(r"2[0-9]{3}-(?:0[1-9]|1[0-2])", re.ASCII)


class MonthField(TextField):
    """A month, written ``2030-03``, as it stands on a card."""

    def to_internal_value(self, data: Any) -> date:
        """Return the first day of the month.

        Raises:
            ValidationError: it is none.
        """
        text = super().to_internal_value(data)
        if not _MONTH.fullmatch(text):
            self.refuse("not_a_month", "This must be a month, written 2030-03.")
        return date.fromisoformat(f"{text}-01")


class AuthorisationBody(StrictSerializer):
    """What a card is to pay, and to whom."""

    card_number = TextField(pattern="^[0-9]{4}( ?[0-9]{4}){3}$")
    expires = MonthField(pattern="^2[0-9]{3}-(0[1-9]|1[0-2])$")
    amount = AmountField()
    currency = CurrencyField()
    merchant = LineField(least=1, longest=_LONGEST_MERCHANT)


class PartBody(StrictSerializer):
    """What to pay of an authorised payment: an amount in its currency, or all of it."""

    amount = AmountField(required=False)
    currency = CurrencyField(required=False)

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


class CardPaymentList(BankView):
    """Authorising payments."""

    access: ClassVar = {"POST": _CHARGE}

    @operation(
        answer=CardPaymentAnswer,
        example=PAYMENT,
        status=HTTPStatus.CREATED,
        body=AuthorisationBody,
        body_example={
            "card_number": "9356 0012 3456 7898",
            "expires": "2030-03",
            "amount": "1250.50",
            "currency": "INR",
            "merchant": "Bookshop",
        },
        keyed=True,
    )
    def post(self, request: Request) -> Response:
        """Authorise a payment: what the card is to pay is set aside on its account.

        A decline is a refusal whose `code` is the reason, and the same key is declined again.
        What is not captured within seven days after the day is free again.
        """
        key = idempotency_key(request)
        body = AuthorisationBody.read(request.data)
        asked = Authorisation(
            key=key,
            card_number=body["card_number"],
            expires=body["expires"],
            amount=Money.parse(body["amount"], body["currency"]),
            merchant=body["merchant"],
        )
        payment, is_new = authorise_payment(caller_of(request), asked, now=clock.now())
        headers = {"Location": reverse("api-card-payment", args=[payment.pk])}
        return _answer(payment, is_new=is_new, status=HTTPStatus.CREATED, headers=headers)


class CardPaymentDetail(BankView):
    """One payment."""

    access: ClassVar = {"GET": _CHARGE}

    @operation(answer=CardPaymentAnswer, example=PAYMENT)
    def get(self, request: Request, payment_id: UUID) -> Response:
        """Show a payment that you authorised."""
        found = payment_of(caller_pk(request), payment_id=payment_id)
        return Response(payment_answer(payment_shown(found, now=clock.now())))


class CardPaymentCapture(BankView):
    """Paying what was authorised."""

    access: ClassVar = {"POST": _CHARGE}

    @operation(
        answer=CardPaymentAnswer,
        example={**PAYMENT, "state": "captured", "captured": "1000.00"},
        body=PartBody,
        body_example={"amount": "1000.00", "currency": "INR"},
        keyed=True,
    )
    def post(self, request: Request, payment_id: UUID) -> Response:
        """Capture a payment, or a part of it, and free the rest."""
        key = idempotency_key(request)
        body = PartBody.read(request.data)
        part = Money.parse(body["amount"], body["currency"]) if "amount" in body else None
        ending = PaymentEnding(
            client=caller_pk(request), key=key, payment_id=payment_id, amount=part
        )
        payment, is_new = capture_payment(ending, now=clock.now())
        return _answer(payment, is_new=is_new)


class CardPaymentRelease(BankView):
    """Giving up what was authorised."""

    access: ClassVar = {"POST": _CHARGE}

    @operation(
        answer=CardPaymentAnswer,
        example={**PAYMENT, "state": "released"},
        body=NothingBody,
        body_example={},
        keyed=True,
    )
    def post(self, request: Request, payment_id: UUID) -> Response:
        """Free what a card has set aside, and pay nothing."""
        key = idempotency_key(request)
        NothingBody.read(request.data)
        ending = PaymentEnding(client=caller_pk(request), key=key, payment_id=payment_id)
        payment, is_new = release_payment(ending, now=clock.now())
        return _answer(payment, is_new=is_new)


def _answer(
    payment: CardPayment,
    *,
    is_new: bool,
    status: int = HTTPStatus.OK,
    headers: dict[str, str] | None = None,
) -> Response:
    known = {**(headers or {}), **({} if is_new else {REPLAYED: "true"})}
    shown = payment_answer(payment_shown(payment, now=clock.now()))
    return Response(shown, status=status, headers=known)
