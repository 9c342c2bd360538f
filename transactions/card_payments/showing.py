"""Cards as people see them: what they are now, what they may still pay, and what they paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from accounts.cards.selectors import card_of, cards_of
from accounts.models import Card, CardLimit, CardState
from core.clock import bank_day
from core.db.keyset import older
from core.money import Money
from transactions.card_payments.authorising import spent_by
from transactions.card_payments.declining import words_of
from transactions.card_payments.models import CardPayment

State = CardPayment.State
_ENDED: Final = {State.EXPIRED, State.RELEASED}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """A card with what it has paid or set aside, today and this month."""

    card: Card
    state: CardState
    today: Money
    month: Money

    @property
    def limits(self) -> list[tuple[CardLimit, Money]]:
        """What bounds it, by name."""
        return [(limit, self.card.limit(limit)) for limit in CardLimit]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """A payment, and why it was declined."""

    payment: CardPayment
    state: str
    words: str
    reason: str

    @property
    def is_nothing(self) -> bool:
        """Whether no money left, and none will."""
        return self.state in _ENDED or self.state == State.DECLINED


def cards_shown(person: int, *, now: datetime) -> list[CardView]:
    """Return a person's cards, newest first."""
    return _views(cards_of(person), now)


def card_shown(person: int, *, card_id: UUID, now: datetime) -> CardView:
    """Return one of a person's cards.

    Raises:
        UnknownCard
    """
    return _views([card_of(person, card_id=card_id)], now)[0]


def payments_shown(
    person: int, *, card_id: UUID, after: Sequence[str] | None, limit: int, now: datetime
) -> list[PaymentView]:
    """Return up to ``limit`` payments of one of a person's cards, newest first, after a position.

    Raises:
        UnknownCard
    """
    card = card_of(person, card_id=card_id)
    found = older(CardPayment.objects.filter(card=card), by="asked_at", than=after)
    return [payment_shown(payment, now=now) for payment in found[:limit]]


def payment_shown(payment: CardPayment, *, now: datetime) -> PaymentView:
    """Return a payment as it is now: one whose time is over has expired, noted or not."""
    state = State(payment.state)
    if state is State.AUTHORISED and payment.expires_at and payment.expires_at <= now:
        state = State.EXPIRED
    reason = words_of(payment.reason) if payment.reason else ""
    return PaymentView(payment=payment, state=state, words=str(state.label), reason=reason)


def _views(cards: Sequence[Card], now: datetime) -> list[CardView]:
    day = bank_day(now)
    spent = spent_by(cards, day=day, now=now)
    return [
        CardView(
            card=card,
            state=card.state_on(day),
            today=Money(spent[card.pk][0], card.account.currency),
            month=Money(spent[card.pk][1], card.account.currency),
        )
        for card in cards
    ]
