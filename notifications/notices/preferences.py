"""How each person wants to be told of what: by which ways, from which amount on."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from django.db import transaction
from django.db.models import Q

from notifications.notices.models import Choice, NoticeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How one kind is told. ``threshold`` is in minor units of ``CURRENCY``."""

    email: bool = False
    sms: bool = False
    inbox: bool = False
    threshold: int | None = None
    every_time: bool = False

    @property
    def is_told(self) -> bool:
        """Tell whether anything is told at all."""
        return self.email or self.sms or self.inbox


_OFTEN: Final = Wish()
_RARE: Final = Wish(email=True, inbox=True)
DEFAULTS: Final[Mapping[str, Wish]] = {
    NoticeKind.LOG_IN: _RARE,
    NoticeKind.SECURITY: _RARE,
    NoticeKind.MONEY_OUT: _OFTEN,
    NoticeKind.MONEY_IN: _OFTEN,
    NoticeKind.LOW_BALANCE: _OFTEN,
    NoticeKind.STANDING_ORDER_FAILED: _RARE,
    NoticeKind.PAYEE_ADDED: _RARE,
    NoticeKind.STATUS_CHANGED: _RARE,
    NoticeKind.CARD_CHANGED: _RARE,
    NoticeKind.CARD_DECLINED: _RARE,
    NoticeKind.DISPUTE: _RARE,
    NoticeKind.LOAN: _RARE,
}
"""What the bank does for who chose nothing. Told of each movement is who wants to be."""
ALWAYS_MAILED: Final = frozenset({NoticeKind.LOG_IN, NoticeKind.SECURITY})
"""Somebody who took an account over must not switch off what tells its owner."""
CURRENCY: Final = "INR"
"""What thresholds are in. Movements in other currencies are told, however small."""
WITH_THRESHOLD: Final = frozenset(
    {NoticeKind.MONEY_OUT, NoticeKind.MONEY_IN, NoticeKind.LOW_BALANCE}
)
OF_MOVEMENTS: Final = WITH_THRESHOLD

Wishes = Mapping[str, Wish]


def wishes_of(people: Collection[int]) -> dict[int, Wishes]:
    """Return how each of some people wants each kind told."""
    found: dict[int, dict[str, Wish]] = {person: dict(DEFAULTS) for person in people}
    for choice in Choice.objects.filter(person__in=people):
        found[choice.person_id][choice.kind] = _wish(choice)
    return dict(found)


def keep_wishes(person: int, wishes: Wishes) -> None:
    """Keep how a person wants the kinds told that are named; what is always mailed stays so."""
    rows = [
        Choice(
            person_id=person,
            kind=kind,
            email=wish.email or kind in ALWAYS_MAILED,
            sms=wish.sms,
            inbox=wish.inbox,
            threshold=wish.threshold if kind in WITH_THRESHOLD else None,
            every_time=wish.every_time,
        )
        for kind, wish in wishes.items()
    ]
    with transaction.atomic():
        Choice.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["person", "kind"],
            update_fields=["email", "sms", "inbox", "threshold", "every_time"],
        )


def people_told_of_movements() -> set[int]:
    """Return who wants to be told of what moves on their accounts."""
    told = Q(email=True) | Q(sms=True) | Q(inbox=True)
    found = Choice.objects.filter(told, kind__in=OF_MOVEMENTS, person__is_active=True)
    return set(found.values_list("person_id", flat=True))


def _wish(choice: Choice) -> Wish:
    wish = Wish(
        email=choice.email,
        sms=choice.sms,
        inbox=choice.inbox,
        threshold=choice.threshold,
        every_time=choice.every_time,
    )
    return replace(wish, email=True) if choice.kind in ALWAYS_MAILED else wish
