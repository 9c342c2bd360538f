"""Two cards of the demo's first customer: one that pays, and one that waits to be activated."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.db import transaction

from accounts.cards.governing import give_number
from accounts.models import Card, CardKind, CardTier, Holding, Product, User
from core.clock import bank_day
from transactions.card_payments.asking import first_limits
from transactions.card_payments.models import CardPayment
from transactions.demo.people import Persona
from transactions.demo.story import Holder
from transactions.ledger.posting import Kind
from transactions.selectors import Movement
from transactions.statements.pages import statement

_AGE: Final = timedelta(days=200)
_MOST_READ: Final = 100
_MOST_PAYMENTS: Final = 30
_TIERS: Final = (CardTier.GOLD, CardTier.JUNIOR)
_WHO: Final = "Asha Rao"
State = CardPayment.State


def add_cards(people: Sequence[Persona], numbers: Mapping[Holder, int], *, now: datetime) -> None:
    """Give Asha, where she is among the people, her cards, and one of them its payments."""
    place = next((place for place, person in enumerate(people) if person.name == _WHO), None)
    if place is None:
        return
    account = numbers[Holder(place, Product.CURRENT)]
    paying, _waiting = (_issued(people[place], account, tier, now=now) for tier in _TIERS)
    if not paying.last_four:
        with transaction.atomic():
            give_number(paying, now=now - _AGE)
            _add_payments(paying)


def _issued(person: Persona, account: int, tier: CardTier, *, now: datetime) -> Card:
    """Return a card issued long ago: nobody is told of it any more."""
    card, _is_new = Card.objects.get_or_create(
        external_reference=f"demo:card:{tier}",
        defaults={
            "id": uuid4(),
            "person_id": Holding.objects.get(account=account).user_id,
            "account_id": account,
            "kind": CardKind.DEBIT,
            "tier": tier,
            "issued_at": now - _AGE,
            **{str(limit): at for limit, at in first_limits(tier, person.currency).items()},
        },
    )
    return card


def _add_payments(card: Card) -> None:
    """Let what was paid by card on its account be paid by this one, and one payment be declined."""
    page = statement(card.person_id, number=card.account_id, before=None, limit=_MOST_READ)
    paid = [one for one in page.movements if one.kind == Kind.CARD][:_MOST_PAYMENTS]
    client = User.objects.filter(is_superuser=True).order_by("pk")[0]
    CardPayment.objects.bulk_create([_paid(card, one, client) for one in paid])
    if paid:
        CardPayment.objects.create(
            id=uuid4(),
            card=card,
            client=client,
            merchant="Jewellery",
            amount=card.payment_limit + 1,
            currency=paid[0].change.currency,
            state=State.DECLINED,
            reason="card_payment_limit_exceeded",
            day=bank_day(paid[0].event_at),
            asked_at=paid[0].event_at + timedelta(minutes=10),
        )


def _paid(card: Card, movement: Movement, client: User) -> CardPayment:
    amount = -movement.change.minor
    return CardPayment(
        id=uuid4(),
        card=card,
        client=client,
        merchant=movement.memo or "",
        amount=amount,
        currency=movement.change.currency,
        captured=amount,
        state=State.CAPTURED,
        day=bank_day(movement.event_at),
        asked_at=movement.event_at,
        expires_at=movement.event_at + timedelta(days=7),
        ended_at=movement.event_at,
        hold_id=uuid4(),
        transfer_id=movement.transfer_id,
    )
