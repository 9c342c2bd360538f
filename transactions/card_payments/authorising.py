"""Authorising a payment by card: what the card and its account allow is set aside at once.

The money waits on the account as a hold for the bank's nostro account, from which merchants are
paid. All is decided in one transaction at the head office under the card's lock, so that its limits
hold however many ask at once. Where the account lives on another node, the hold is committed there
first, under a key of the payment's: should the head office fail before its own commit, the same
request sent again finds the hold, and if it never comes, the hold expires.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import BigIntegerField, Case, F, Q, Sum, When

from accounts.callers import Caller
from accounts.cards.numbers import parse_card_number
from accounts.cards.selectors import UnknownCard, card_numbered, lock_card
from accounts.cards.telling import tell_of_declined
from accounts.models import Card, CardLimit, CardState, UserStatus
from core.clock import bank_day, start_of
from core.money import Money
from transactions.branches.following import follow_accounts
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import branch_number_of, node_of
from transactions.card_payments.declining import LEDGERS, CardDeclined
from transactions.card_payments.models import CardPayment
from transactions.chart import BankAccounts, Place, open_chart
from transactions.ledger import posting
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Channel, HoldReceipt, Order
from transactions.policy import check_key_limit

LIFE: Final = timedelta(days=7)
"""How long a merchant may take to ask for the money, after the day of the payment."""
_NAMESPACE: Final = UUID("6f0b7f55-3a0e-4d0f-9c43-9b8a6c1f2e70")
_STATES: Final = {
    CardState.ISSUED: "card_not_active",
    CardState.FROZEN: "card_frozen",
    CardState.BLOCKED: "card_blocked",
    CardState.EXPIRED: "card_expired",
}
State = CardPayment.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorisation:
    """A merchant's wish that a card pays. The ``key`` makes asking twice harmless.

    ``expires`` is the month that stands on the card, as its first day.
    """

    key: str
    card_number: str
    expires: date
    amount: Money
    merchant: str


def authorise_payment(
    caller: Caller, asked: Authorisation, *, now: datetime
) -> tuple[CardPayment, bool]:
    """Set aside what a card is to pay, and tell whether that is new.

    Raises:
        InvalidCardNumber
        UnknownCard: no card has this number and month.
        KeyLimitExceeded: an API key may not charge so much at once.
        CardDeclined: with the reason; nothing was set aside, and the card's person is told.
        Refused: the key stands for another request.
        Busy, BranchDown: nothing was set aside; the same request may be sent again.
        OutcomeUnknown: it was or not; the same request sent again tells.
    """
    check_key_limit(caller, asked.amount)
    card = card_numbered(parse_card_number(asked.card_number))
    if card is None or card.expires_on is None or card.expires_on.replace(day=1) != asked.expires:
        raise UnknownCard(field="card_number")
    wanted = CardPayment(
        id=uuid5(_NAMESPACE, f"{caller.pk} {asked.key}"),
        card=card,
        client_id=caller.pk,
        merchant=asked.merchant,
        amount=asked.amount.minor,
        currency=asked.amount.currency,
        day=bank_day(now),
        asked_at=now,
    )
    payment, is_new = _decide(wanted, now)
    if payment.state == State.DECLINED:
        raise CardDeclined(reason=payment.reason)
    return payment, is_new


@transaction.atomic
def _decide(wanted: CardPayment, now: datetime) -> tuple[CardPayment, bool]:
    """Authorise or decline a payment and note that, once."""
    card = lock_card(wanted.card_id)
    known = CardPayment.objects.filter(pk=wanted.pk).first()
    if known is not None:
        return _same(known, wanted), False
    try:
        _check_card(card, wanted, now)
        _set_aside(card, wanted)
    except CardDeclined as refusal:
        wanted.state, wanted.reason = State.DECLINED, refusal.code
        _tell(card, wanted, refusal)
    wanted.save(force_insert=True)
    return wanted, True


def _same(known: CardPayment, wanted: CardPayment) -> CardPayment:
    """Return the payment that was made before.

    Raises:
        Refused: its key stands for another request.
    """
    for part in ("card_id", "merchant", "amount", "currency"):
        if getattr(known, part) != getattr(wanted, part):
            raise Refused(Code.KEY_REUSED)
    return known


def _check_card(card: Card, wanted: CardPayment, now: datetime) -> None:
    """Check what the card itself allows.

    Raises:
        CardDeclined
    """
    state = card.state_on(wanted.day)
    if state in _STATES:
        raise CardDeclined(reason=_STATES[state])
    if card.person.status != UserStatus.ACTIVE:
        raise CardDeclined(reason="card_blocked")
    if wanted.currency != card.account.currency:
        raise CardDeclined(reason=Code.WRONG_CURRENCY.name.lower())
    today, month = spent_by([card], day=wanted.day, now=now)[card.pk]
    for limit, spent in (
        (CardLimit.PAYMENT, 0),
        (CardLimit.DAILY, today),
        (CardLimit.MONTHLY, month),
    ):
        if spent + wanted.amount > getattr(card, limit):
            raise CardDeclined(reason=f"card_{limit}_exceeded")


def spent_by(
    cards: Collection[Card], *, day: date, now: datetime
) -> Mapping[UUID, tuple[int, int]]:
    """Return what cards have paid or set aside on a day, and in its month so far; one query."""
    counted = Case(
        When(state=State.CAPTURED, then=F("captured")),
        When(state=State.AUTHORISED, expires_at__gt=now, then=F("amount")),
        default=0,
        output_field=BigIntegerField(),
    )
    paid = CardPayment.objects.filter(card__in=cards, day__gte=day.replace(day=1), day__lte=day)
    sums = (
        paid.order_by()
        .values_list("card")
        .annotate(today=Sum(counted, filter=Q(day=day), default=0), month=Sum(counted))
    )
    found = {card: (int(today), int(month)) for card, today, month in sums}
    return {card.pk: found.get(card.pk, (0, 0)) for card in cards}


def _set_aside(card: Card, wanted: CardPayment) -> None:
    """Place the hold and note it in the payment.

    Raises:
        CardDeclined: the account does not allow it.
        Refused, Busy, BranchDown, OutcomeUnknown
    """
    try:
        _place(card, wanted)
    except Refused as refusal:
        if refusal.reason is Code.KEY_REUSED:
            # Sent again after midnight: what waits is the hold of the day before, or another's.
            wanted.day -= timedelta(days=1)
            _place(card, wanted)
        elif refusal.reason in LEDGERS:
            raise CardDeclined(reason=refusal.code) from refusal
        else:
            raise


def _place(card: Card, wanted: CardPayment) -> None:
    # By the day alone: the same request sent again asks for the same hold.
    expires_at = start_of(wanted.day + timedelta(days=1)) + LIFE
    receipt = follow_accounts(
        card.account_id, work=lambda: _hold(card, wanted, expires_at=expires_at)
    )
    wanted.state, wanted.hold_id = State.AUTHORISED, receipt.hold_id
    wanted.expires_at = expires_at


def _hold(card: Card, wanted: CardPayment, *, expires_at: datetime) -> HoldReceipt:
    """Place the hold where the account lives; a refusal leaves the open transaction as it was."""
    node = node_of(card.account_id)
    bank = BankAccounts(branch_number_of(node), wanted.currency)
    order = Order(
        client=wanted.client_id,
        channel=Channel.API,
        day=wanted.day,
        key=f"card:{wanted.pk}",
        holder=card.person_id,
    )

    def place() -> HoldReceipt:
        with silence_named(node), transaction.atomic():
            return posting.hold(
                account=card.account_id,
                payee=bank.number(Place.NOSTRO),
                amount=wanted.money,
                expires_at=expires_at,
                order=order,
                memo=wanted.merchant,
                using=node,
            )

    try:
        return place()
    except Refused as refusal:
        if refusal.reason is not Code.UNKNOWN_CREDIT_ACCOUNT:
            raise
        # The first of its currency there.
        open_chart(branch=bank.branch, currency=bank.currency, using=node)
        return place()


def _tell(card: Card, wanted: CardPayment, refusal: CardDeclined) -> None:
    tell_of_declined(
        card,
        merchant=wanted.merchant,
        amount=wanted.money,
        reason=refusal.message,
        source=str(wanted.pk),
        now=wanted.asked_at,
    )
