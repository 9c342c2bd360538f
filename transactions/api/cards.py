"""The caller's cards: listed, asked for, activated, frozen, limited, and what they paid."""

from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.callers import caller_of
from accounts.api.fields import AccountNumberField
from accounts.cards.governing import (
    activate_card,
    change_card_limits,
    freeze_card,
    unfreeze_card,
)
from accounts.cards.numbers import shown_card_number
from accounts.models import CardKind, CardLimit, CardState, CardTier, User
from accounts.reasons import LONGEST_REASON
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.pages import PageFilters
from core.api.representation import decimal, given, instant
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
from core.db.keyset import position
from core.errors import DomainError
from core.money import Money
from transactions.card_payments.asking import CardRequest, ask_card
from transactions.card_payments.models import CardPayment
from transactions.card_payments.showing import (
    CardView,
    PaymentView,
    card_shown,
    cards_shown,
    payments_shown,
)

_READ: Final = Access(CUSTOMER, scope="accounts:read")
_PERSON: Final = Access(CUSTOMER)
CARD: Final = {
    "id": "5b0f3c1e-0e0e-4d52-8a57-3f0f7ad7b1c4",
    "account": "100000000017",
    "currency": "INR",
    "kind": "debit",
    "tier": "classic",
    "state": "active",
    "last_four": "4242",
    "expires": "2030-03",
    "payment_limit": "50000.00",
    "daily_limit": "100000.00",
    "monthly_limit": "500000.00",
    "spent_today": "1250.50",
    "spent_this_month": "8400.00",
}
PAYMENT: Final = {
    "id": "e7a1d0de-9a53-5a0b-8c5e-4b2f5a3c9d10",
    "merchant": "Bookshop",
    "amount": "1250.50",
    "currency": "INR",
    "state": "authorised",
    "asked_at": "2026-03-02T09:30:00Z",
    "expires_at": "2026-03-09T18:30:00Z",
}


class LimitsMissing(DomainError):
    """A request to change a card's limits names none."""

    code = "limits_missing"


class CardBody(StrictSerializer):
    """A card to ask for."""

    account = AccountNumberField()
    kind = ChoiceField(CardKind.values)
    tier = ChoiceField(CardTier.values)
    reason = LineField(least=1, longest=LONGEST_REASON)


class CardLimitsBody(StrictSerializer):
    """Limits to set, in the currency of the card's account; what is missing stays as it is."""

    currency = CurrencyField()
    payment_limit = AmountField(required=False, help_text="Paid at once at most.")
    daily_limit = AmountField(required=False, help_text="Paid in a day at most.")
    monthly_limit = AmountField(required=False, help_text="Paid in a calendar month at most.")


class NothingBody(StrictSerializer):
    """Nothing needs to be said."""


class CardAnswer(Serializer[Any]):
    """A card, and what it has paid or set aside. Its number is never told."""

    id = UuidField()
    account = AccountNumberField()
    currency = CurrencyField()
    kind = ChoiceField(CardKind.values)
    tier = ChoiceField(CardTier.values)
    state = ChoiceField(CardState.values)
    last_four = TextField(required=False)
    expires = TextField(required=False)
    payment_limit = AmountField()
    daily_limit = AmountField()
    monthly_limit = AmountField()
    spent_today = AmountField()
    spent_this_month = AmountField()


class ActivatedAnswer(CardAnswer):
    """A card that was just activated. ``card_number`` is told this once, and not kept."""

    card_number = TextField()


class CardsAnswer(Serializer[Any]):
    """All of a person's cards, newest first."""

    cards = CardAnswer(many=True)


class CardAskedAnswer(Serializer[Any]):
    """A request for a card."""

    request_id = TextField()
    state = TextField()


class CardPaymentAnswer(Serializer[Any]):
    """A payment by card; ``reason`` is why it was declined."""

    id = UuidField()
    merchant = TextField()
    amount = AmountField()
    currency = CurrencyField()
    state = ChoiceField(CardPayment.State.values)
    reason = TextField(required=False)
    captured = AmountField(required=False)
    asked_at = InstantField()
    expires_at = InstantField(required=False)
    ended_at = InstantField(required=False)
    transfer_id = UuidField(required=False)


class CardPaymentsAnswer(Serializer[Any]):
    """A page of a card's payments, newest first."""

    payments = CardPaymentAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class CardList(BankView):
    """The caller's cards."""

    access: ClassVar = {"GET": _READ, "POST": _PERSON}

    @operation(answer=CardsAnswer, example={"cards": [CARD]})
    def get(self, request: Request) -> Response:
        """List your cards, newest first."""
        found = cards_shown(caller_pk(request), now=clock.now())
        return Response({"cards": [_card(view) for view in found]})

    @operation(
        answer=CardAskedAnswer,
        example={"request_id": "17", "state": "waiting"},
        status=HTTPStatus.ACCEPTED,
        body=CardBody,
        body_example={
            "account": "100000000017",
            "kind": "debit",
            "tier": "classic",
            "reason": "For shopping",
        },
    )
    def post(self, request: Request) -> Response:
        """Ask for a card for one of your accounts; the bank decides.

        A credit card needs an account that may be overdrawn. The same asked again, before anybody
        has decided, is the same request.
        """
        body = CardBody.read(request.data)
        user = caller_pk(request)
        wish = CardRequest(
            person=User.objects.get(pk=user),
            account=body["account"],
            kind=CardKind(body["kind"]),
            tier=CardTier(body["tier"]),
        )
        asked = ask_card(wish, maker=user, reason=body["reason"], now=clock.now())
        answer = {"request_id": str(asked.pk), "state": asked.state}
        return Response(answer, status=HTTPStatus.ACCEPTED)


class CardDetail(BankView):
    """One of the caller's cards."""

    access: ClassVar = {"GET": _READ, "PATCH": _PERSON}

    @operation(answer=CardAnswer, example=CARD)
    def get(self, request: Request, card_id: UUID) -> Response:
        """Show a card."""
        return _shown(request, card_id)

    @operation(
        answer=CardAnswer,
        example=CARD,
        body=CardLimitsBody,
        body_example={"currency": "INR", "daily_limit": "80000.00"},
        step_up=True,
    )
    def patch(self, request: Request, card_id: UUID) -> Response:
        """Change what a card may pay; it counts at once. Raising a limit needs a one-time code."""
        now = clock.now()
        body = CardLimitsBody.read(request.data)
        known = card_shown(caller_pk(request), card_id=card_id, now=now)
        wanted = _limits_read(body, known.card.account.currency)
        change_card_limits(
            caller_of(request),
            card_id=card_id,
            wanted=wanted,
            step_up=step_up_of(request),
            now=now,
        )
        return _shown(request, card_id)


class CardActivation(BankView):
    """Giving a card its number."""

    access: ClassVar = {"POST": _PERSON}

    @operation(
        answer=ActivatedAnswer,
        example={**CARD, "card_number": "9356 0012 3456 7898"},
        body=NothingBody,
        body_example={},
        step_up=True,
    )
    def post(self, request: Request, card_id: UUID) -> Response:
        """Activate a card; needs a one-time code.

        The answer has its number, this once: the bank does not keep it.
        """
        NothingBody.read(request.data)
        now = clock.now()
        card, number = activate_card(
            caller_of(request), card_id=card_id, step_up=step_up_of(request), now=now
        )
        shown = _card(card_shown(card.person_id, card_id=card_id, now=now))
        return Response({**shown, "card_number": shown_card_number(number)})


class CardFreezing(BankView):
    """Letting a card pay nothing for a while."""

    access: ClassVar = {"POST": _PERSON}

    @operation(answer=CardAnswer, example=CARD, body=NothingBody, body_example={})
    def post(self, request: Request, card_id: UUID) -> Response:
        """Freeze a card. What it has set aside stays so; nothing new is paid."""
        NothingBody.read(request.data)
        freeze_card(caller_of(request), card_id=card_id, now=clock.now())
        return _shown(request, card_id)


class CardUnfreezing(BankView):
    """Letting a card pay again."""

    access: ClassVar = {"POST": _PERSON}

    @operation(answer=CardAnswer, example=CARD, body=NothingBody, body_example={}, step_up=True)
    def post(self, request: Request, card_id: UUID) -> Response:
        """Unfreeze a card; needs a one-time code."""
        NothingBody.read(request.data)
        step_up, now = step_up_of(request), clock.now()
        unfreeze_card(caller_of(request), card_id=card_id, step_up=step_up, now=now)
        return _shown(request, card_id)


class PaymentsOfCard(BankView):
    """What a card paid, or was to."""

    access: ClassVar = {"GET": _READ}
    filters = PageFilters

    @operation(answer=CardPaymentsAnswer, example={"payments": [PAYMENT], "has_more": False})
    def get(self, request: Request, card_id: UUID) -> Response:
        """List a card's payments, newest first, those declined included."""
        page = self.page(request)
        found = payments_shown(
            caller_pk(request),
            card_id=card_id,
            after=page.after,
            limit=page.sought,
            now=clock.now(),
        )
        answer = page.answer(
            "payments",
            found,
            show=payment_answer,
            position=lambda view: position(view.payment, by="asked_at"),
        )
        return Response(answer)


def payment_answer(view: PaymentView) -> dict[str, Any]:
    """Return a payment as the API shows it."""
    payment = view.payment
    return given(
        id=str(payment.pk),
        merchant=payment.merchant,
        amount=decimal(payment.money),
        currency=payment.currency,
        state=str(view.state),
        reason=payment.reason or None,
        captured=decimal(payment.paid) if payment.captured else None,
        asked_at=instant(payment.asked_at),
        expires_at=payment.expires_at and instant(payment.expires_at),
        ended_at=payment.ended_at and instant(payment.ended_at),
        transfer_id=payment.transfer_id and str(payment.transfer_id),
    )


def _shown(request: Request, card_id: UUID) -> Response:
    return Response(_card(card_shown(caller_pk(request), card_id=card_id, now=clock.now())))


def _card(view: CardView) -> dict[str, Any]:
    card = view.card
    return given(
        id=str(card.pk),
        account=str(card.account_id),
        currency=card.account.currency,
        kind=card.kind,
        tier=card.tier,
        state=str(view.state),
        last_four=card.last_four or None,
        expires=card.expires_on and f"{card.expires_on:%Y-%m}",
        **{str(limit): decimal(money) for limit, money in view.limits},
        spent_today=decimal(view.today),
        spent_this_month=decimal(view.month),
    )


def _limits_read(body: dict[str, Any], currency: str) -> dict[CardLimit, int]:
    """Return the limits that a checked body names, in minor units.

    Raises:
        LimitsMissing, UnknownCurrency
        InvalidAmount: blaming the limit.
    """
    named = {limit: body[limit] for limit in CardLimit if limit in body}
    if not named:
        message = "Name the limits to change."
        raise LimitsMissing(message)
    if body["currency"] != currency:
        message = f"The card's account is in {currency}."
        raise DomainError(message, field="currency", code="wrong_currency")
    return {limit: _minor(text, currency, limit) for limit, text in named.items()}


def _minor(text: str, currency: str, limit: CardLimit) -> int:
    """Read a limit, which unlike what is paid may be zero."""
    try:
        return Money.parse(text, currency).minor
    except DomainError as error:
        if error.code == "amount_not_positive":
            return 0
        error.field = str(limit)
        raise
