"""What people are told of their cards."""

from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from accounts.models import Card
from core.money import Money
from notifications.notices.models import NoticeKind
from notifications.notices.telling import NewNotice, tell


class CardNews(StrEnum):
    """What happened to a card."""

    ISSUED = "issued"
    ACTIVATED = "activated"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"
    BLOCKED = "blocked"


def tell_of_card(card: Card, news: CardNews, *, now: datetime) -> None:
    """Tell a person what happened to their card, in the transaction of the change."""
    told = NewNotice(
        person=card.person_id,
        kind=NoticeKind.CARD_CHANGED,
        source=str(uuid4()),
        occurred_at=now,
        data={"card": str(card.pk), "ends": card.last_four, "news": str(news)},
    )
    tell([told], now=now)


def tell_of_declined(
    card: Card, *, merchant: str, amount: Money, reason: str, source: str, now: datetime
) -> None:
    """Tell a person that their card did not pay, in the transaction that notes it."""
    told = NewNotice(
        person=card.person_id,
        kind=NoticeKind.CARD_DECLINED,
        source=source,
        occurred_at=now,
        data={
            "card": str(card.pk),
            "ends": card.last_four,
            "merchant": merchant,
            "amount": amount.minor,
            "currency": amount.currency,
            "reason": reason,
        },
    )
    tell([told], now=now)
