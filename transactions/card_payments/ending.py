"""Ending what was authorised: captured whole or in part, released, or expired with its hold."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import psycopg
import structlog
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.clock import bank_day
from core.errors import DomainError
from core.money import Money
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import node_of, nodes
from transactions.branches.rounds import SILENCE, reachable
from transactions.card_payments.models import CardPayment
from transactions.ledger import posting, reads
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Channel, Kind, Order

_MOST_AT_ONCE: Final = 200
_log = structlog.get_logger(__name__)
State = CardPayment.State


class UnknownCardPayment(DomainError):
    """There is no such payment that the caller has authorised."""

    code = "unknown_card_payment"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such card payment of yours."))


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEnding:
    """A merchant's wish to be paid, or to give up. ``amount`` is what to pay, None: all of it."""

    client: int
    key: str
    payment_id: UUID
    amount: Money | None = None


def payment_of(client: int, *, payment_id: UUID) -> CardPayment:
    """Return a payment that a client has authorised or tried to.

    Raises:
        UnknownCardPayment
    """
    return _only(_payments().filter(pk=payment_id, client=client))


def capture_payment(ending: PaymentEnding, *, now: datetime) -> tuple[CardPayment, bool]:
    """Pay what was authorised, or a part of it, free the rest, and tell whether that is new.

    Raises:
        UnknownCardPayment
        Refused: nothing was paid; it is used up, has expired, or was less.
        Busy, BranchDown: nothing was paid.
        OutcomeUnknown: it was or not; the same request sent again tells.
    """

    def capture(payment: CardPayment, node: str) -> bool:
        wanted = ending.amount or payment.money
        if wanted.currency != payment.currency:
            raise Refused(Code.WRONG_CURRENCY)
        receipt = posting.capture(
            _hold_of(payment),
            minor=wanted.minor,
            order=_order(ending, now),
            kind=Kind.CARD,
            memo=payment.merchant,
            using=node,
        )
        if payment.state != State.CAPTURED:
            payment.state, payment.captured = State.CAPTURED, wanted.minor
            payment.transfer_id, payment.ended_at = receipt.transfer_id, now
        return not receipt.replayed

    return _end(ending, capture)


def release_payment(ending: PaymentEnding, *, now: datetime) -> tuple[CardPayment, bool]:
    """Free what was authorised and pay nothing, and tell whether that is new.

    Raises:
        UnknownCardPayment
        Refused, Busy, BranchDown: nothing was freed.
        OutcomeUnknown: it was or not; the same request sent again tells.
    """

    def release(payment: CardPayment, node: str) -> bool:
        is_new = posting.release(_hold_of(payment), order=_order(ending, now), using=node)
        if payment.state == State.AUTHORISED:
            payment.state, payment.ended_at = State.RELEASED, now
        return is_new

    return _end(ending, release)


def end_expired_payments(*, now: datetime) -> int:
    """Note what became of payments whose time is over, by the word of their holds.

    So it is also noted what was captured while the head office failed. Nodes that are silent are
    asked again the next time.
    """
    due = _payments().filter(state=State.AUTHORISED, expires_at__lte=now)
    silent: set[str] = set()
    ended = 0
    for payment in reachable(
        due,
        by="expires_at",
        accounts=lambda payment: [payment.card.account_id],
        silent=silent,
        most=_MOST_AT_ONCE,
    ):
        node = node_of(payment.card.account_id)
        try:
            ended += _note_end(payment, node, now)
        except (DomainError, DatabaseError, psycopg.Error) as error:
            reason = " ".join(str(error).split())
            _log.warning("card_payment_not_ended", payment=str(payment.pk), error=reason)
            if isinstance(error, SILENCE):
                silent.add(node)
    return ended


def _note_end(payment: CardPayment, node: str, now: datetime) -> int:
    held = _held(payment, node)[1]
    mine = CardPayment.objects.filter(pk=payment.pk, state=State.AUTHORISED)
    if held is not None and held.state == "captured":
        return mine.update(
            state=State.CAPTURED,
            captured=held.captured,
            transfer_id=held.transfer_id,
            ended_at=held.ended_at,
        )
    if held is not None and held.state == "open":
        # The node's clock is behind.
        return 0
    # An account moves only once nothing is on hold: what no node knows has expired.
    is_released = held is not None and held.state == "released"
    return mine.update(state=State.RELEASED if is_released else State.EXPIRED, ended_at=now)


@transaction.atomic
def _end(
    ending: PaymentEnding, work: Callable[[CardPayment, str], bool]
) -> tuple[CardPayment, bool]:
    """Do what ends a payment under its lock, where its account lives, and keep what it became."""
    mine = _payments().filter(pk=ending.payment_id, client=ending.client)
    payment = _only(mine.select_for_update(of=("self",), no_key=True))
    node = node_of(payment.card.account_id)
    try:
        is_new = _work_at(node, payment, work)
    except Refused as refusal:
        if refusal.reason is not Code.UNKNOWN_HOLD:
            raise
        home, held = _held(payment, node)
        if held is None:
            raise
        # It ended there, and the account has moved since.
        is_new = _work_at(home, payment, work)
    payment.save(update_fields=["state", "captured", "transfer_id", "ended_at"])
    return payment, is_new


def _work_at(node: str, payment: CardPayment, work: Callable[[CardPayment, str], bool]) -> bool:
    """Do it at a node; a refusal leaves the open transaction as it was."""
    with silence_named(node), transaction.atomic():
        return work(payment, node)


def _held(payment: CardPayment, node: str) -> tuple[str, reads.Hold | None]:
    """Return what was set aside, and where: at the account's node, or where it lived before."""
    for place in (node, *(other for other in nodes() if other != node)):
        held = reads.hold(_hold_of(payment), using=place)
        if held is not None:
            return place, held
    return node, None


def _payments() -> QuerySet[CardPayment]:
    return CardPayment.objects.select_related("card").defer("card__number_digest")


def _only(found: QuerySet[CardPayment]) -> CardPayment:
    payment = found.first()
    if payment is None:
        raise UnknownCardPayment
    return payment


def _hold_of(payment: CardPayment) -> UUID:
    """Return what set the money aside.

    Raises:
        Refused: the payment was declined.
    """
    if payment.hold_id is None:
        raise Refused(Code.HOLD_NOT_OPEN)
    return payment.hold_id


def _order(ending: PaymentEnding, now: datetime) -> Order:
    return Order(
        client=ending.client, channel=Channel.API, day=bank_day(now), key=f"card:{ending.key}"
    )
