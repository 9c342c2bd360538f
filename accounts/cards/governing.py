"""The life of a card: issued, activated, frozen and unfrozen, limited, blocked.

Each change is one transaction under the card's lock, audited with who made it and why, and told to
its person.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.callers import Caller, acting_as
from accounts.cards.numbers import digest_of, digests_of, new_card_number
from accounts.cards.selectors import UnknownCard, card_of, lock_card
from accounts.cards.telling import CardNews, tell_of_card
from accounts.models import Card, CardKind, CardLimit, CardState, CardTier
from accounts.reasons import given_reason
from accounts.step_up import require_step_up
from core.api.step_up import StepUp
from core.clock import bank_day
from core.errors import DomainError

YEARS: Final = 4
"""How long a card is good, from the month of its activation on."""


class CardStateWrong(DomainError):
    """What is asked does not go with what the card is now."""

    code = "card_state_wrong"
    http_status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCard:
    """A card to issue; limits in minor units of the account's currency."""

    person: int
    account: int
    kind: CardKind
    tier: CardTier
    limits: Mapping[CardLimit, int]
    reference: str


def issue_card(new: NewCard, *, now: datetime) -> Card:
    """Issue a card without a number yet; the same one again for the same reference."""
    with transaction.atomic():
        card, is_new = Card.objects.get_or_create(
            external_reference=new.reference,
            defaults={
                "id": uuid4(),
                "person_id": new.person,
                "account_id": new.account,
                "kind": new.kind,
                "tier": new.tier,
                "issued_at": now,
                **{str(limit): minor for limit, minor in new.limits.items()},
            },
        )
        if is_new:
            tell_of_card(card, CardNews.ISSUED, now=now)
    return card


def activate_card(
    caller: Caller, *, card_id: UUID, step_up: StepUp, now: datetime
) -> tuple[Card, str]:
    """Give a person's card its number, and return that once: nobody can read it again.

    No transaction may be open.

    Raises:
        UnknownCard
        CardStateWrong: it is active already, or blocked.
        StepUpRequired, WrongStepUpCode, TooManyCodes, NoStepUp, MailNotSent
    """
    _refuse_state(card_of(caller.pk, card_id=card_id), {CardState.ISSUED}, now)
    require_step_up(caller.pk, action="activate a card", **asdict(step_up), now=now)
    with acting_as(caller, reason="Activated by its person."), transaction.atomic():
        card = _locked(caller.pk, card_id, {CardState.ISSUED}, now)
        number = give_number(card, now=now)
        tell_of_card(card, CardNews.ACTIVATED, now=now)
    return card, number


def give_number(card: Card, *, now: datetime) -> str:
    """Let an issued card pay, and return its number, which is not kept.

    Needs a transaction in which the card is locked.
    """
    number = _unused_number()
    card.state = CardState.ACTIVE
    card.number_digest, card.last_four = digest_of(number), number[-4:]
    card.expires_on = _last_day(bank_day(now))
    card.save(update_fields=["state", "number_digest", "last_four", "expires_on"])
    return number


def freeze_card(caller: Caller, *, card_id: UUID, now: datetime) -> Card:
    """Let a person's card pay nothing until it is unfrozen; again is harmless.

    Raises:
        UnknownCard
        CardStateWrong: it does not pay anyway.
    """
    with acting_as(caller, reason="Frozen by its person."), transaction.atomic():
        card = _locked(caller.pk, card_id, {CardState.ACTIVE, CardState.FROZEN}, now)
        if card.state != CardState.FROZEN:
            _set_state(card, CardState.FROZEN, CardNews.FROZEN, now)
    return card


def unfreeze_card(caller: Caller, *, card_id: UUID, step_up: StepUp, now: datetime) -> Card:
    """Let a person's frozen card pay again; again is harmless. No transaction may be open.

    Raises:
        UnknownCard
        CardStateWrong: it was never activated, is blocked, or has expired.
        StepUpRequired, WrongStepUpCode, TooManyCodes, NoStepUp, MailNotSent
    """
    usable = {CardState.ACTIVE, CardState.FROZEN}
    known = card_of(caller.pk, card_id=card_id)
    _refuse_state(known, usable, now)
    if known.state == CardState.ACTIVE:
        return known
    require_step_up(caller.pk, action="unfreeze a card", **asdict(step_up), now=now)
    with acting_as(caller, reason="Unfrozen by its person."), transaction.atomic():
        card = _locked(caller.pk, card_id, usable, now)
        if card.state != CardState.ACTIVE:
            _set_state(card, CardState.ACTIVE, CardNews.UNFROZEN, now)
    return card


def change_card_limits(
    caller: Caller,
    *,
    card_id: UUID,
    wanted: Mapping[CardLimit, int],
    step_up: StepUp,
    now: datetime,
) -> Card:
    """Change what a person's card may pay, at once; raising a limit takes a code.

    The account's own limits hold besides. No transaction may be open.

    Raises:
        UnknownCard
        CardStateWrong: it is blocked, or has expired.
        StepUpRequired, WrongStepUpCode, TooManyCodes, NoStepUp, MailNotSent
    """
    changeable = {CardState.ISSUED, CardState.ACTIVE, CardState.FROZEN}
    known = card_of(caller.pk, card_id=card_id)
    _refuse_state(known, changeable, now)
    raised = {limit for limit, minor in wanted.items() if minor > getattr(known, limit)}
    if raised:
        require_step_up(caller.pk, action="raise a card's limit", **asdict(step_up), now=now)
    with acting_as(caller, reason="Limits changed by its person."), transaction.atomic():
        card = _locked(caller.pk, card_id, changeable, now)
        for limit, minor in wanted.items():
            # Lowered meanwhile by another request: a wish to lower raises nothing.
            kept = minor if limit in raised else min(minor, getattr(card, limit))
            setattr(card, limit, kept)
        card.save(update_fields=[str(limit) for limit in wanted])
    return card


def block_card(admin: Caller, *, card_id: UUID, reason: str, now: datetime) -> Card:
    """Let a card pay nothing for good, whatever its state; again is harmless.

    Raises:
        UnknownCard
        InvalidText: the reason is empty, too long, or not one line.
    """
    with acting_as(admin, reason=given_reason(reason)), transaction.atomic():
        card = lock_card(card_id)
        if card.state != CardState.BLOCKED:
            _set_state(card, CardState.BLOCKED, CardNews.BLOCKED, now)
    return card


def _set_state(card: Card, state: CardState, news: CardNews, now: datetime) -> None:
    card.state = state
    card.save(update_fields=["state"])
    tell_of_card(card, news, now=now)


def _locked(person: int, card_id: UUID, states: set[CardState], now: datetime) -> Card:
    card = lock_card(card_id)
    if card.person_id != person:
        raise UnknownCard
    _refuse_state(card, states, now)
    return card


def _refuse_state(card: Card, states: set[CardState], now: datetime) -> None:
    state = card.state_on(bank_day(now))
    if state not in states:
        message = _("The card's state does not allow this; it is: %(state)s.") % {
            "state": state.label
        }
        raise CardStateWrong(message)


def _unused_number() -> str:
    """Return a number that no card has. Of two at once the unique digest lets one through."""
    number = new_card_number()
    while Card.objects.filter(number_digest__in=digests_of(number)).exists():
        number = new_card_number()
    return number


def _last_day(day: date) -> date:
    """Return the last day of the month in which a card that is activated on a day runs out."""
    year = day.year + YEARS
    return date(year, day.month, monthrange(year, day.month)[1])
