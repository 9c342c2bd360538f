"""Checking a transfer before it is sent: what it comes to, and what there is to notice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from accounts.callers import Caller
from accounts.selectors import identities
from core.money import Money
from transactions.branches.asking import (
    ask_everywhere,
    ask_head_office,
    ask_head_office_itself,
)
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import node_of
from transactions.ledger.payments import sent_alike
from transactions.limits.remaining import Remaining, remaining_of
from transactions.parties import Party, payee_of
from transactions.payments.cooling import cooling_limit
from transactions.payments.later import check_for_day
from transactions.payments.models import PayeeCooling, ScheduledTransfer
from transactions.policy import check_key_limit, needs_step_up
from transactions.selectors import held_by, recorded_at
from transactions.services import Receipt, TransferRequest, preview_transfer

ALIKE_WITHIN: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Alike:
    """A transfer of the same amount to the same payee, sent or left not long ago."""

    at: datetime
    transfer_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """That a transfer goes from one branch to another, by their names."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCheck:
    """What a transfer comes to. ``down``: a branch does not answer, and it can be left here.

    ``sent`` and ``left`` are what came of the very request before. ``after`` is the payer's balance
    and ``remaining`` what the account may then still spend today; None: unknown, or no bound.
    """

    payee: Party
    fee: Money
    total: Money
    needs_code: bool
    alike: Sequence[Alike]
    crossing: Crossing | None
    cooling_until: datetime | None
    cooling_limit: Money | None
    after: Money | None = None
    remaining: Money | None = None
    sent: Receipt | None = None
    left: ScheduledTransfer | None = None
    down: BranchDown | None = None


def check_transfer(
    caller: Caller, request: TransferRequest, *, day: date | None, now: datetime
) -> TransferCheck:
    """Tell what sending at once, or on a day to come, would come to; nothing is written.

    Raises:
        Refused: it would be refused now, or could never be sent.
        InvalidDay, KeyLimitExceeded, Busy
    """
    check_key_limit(caller, request.amount)
    if day is not None:
        left = check_for_day(caller, request, day=day, now=now)
        return _check(caller, request, now, outcome={"left": left})
    try:
        receipt = preview_transfer(request, now=now)
    except BranchDown as down:
        return _check(caller, request, now, outcome={"down": down})
    if receipt.replayed:
        return _check(caller, request, now, outcome={"sent": receipt})
    after = receipt.debit_after
    money = None if after is None else Money(after, request.amount.currency)
    remaining = _left_after(request, remaining_of(caller.pk, now=now).get(request.debit))
    return _check(caller, request, now, outcome={"after": money, "remaining": remaining})


def _check(
    caller: Caller, request: TransferRequest, now: datetime, *, outcome: dict[str, object]
) -> TransferCheck:
    amount = request.amount
    cooling = _cooling(request, now)
    return TransferCheck(
        payee=payee_of(request.credit),
        # The bank takes nothing for transfers.
        fee=Money(0, amount.currency),
        total=amount,
        needs_code=needs_step_up(caller, amount),
        alike=_alike(request, now),
        crossing=_crossing(request),
        cooling_until=cooling,
        cooling_limit=cooling_limit(amount.currency) if cooling else None,
        **outcome,  # type: ignore[arg-type]  # fields of the check
    )


def _left_after(request: TransferRequest, remaining: Remaining | None) -> Money | None:
    if remaining is None or remaining.today is None:
        return None
    return Money(remaining.today.minor - request.amount.minor, request.amount.currency)


def _alike(request: TransferRequest, now: datetime) -> list[Alike]:
    """Return what the person sent or left within a day that is the same but for its key."""
    since = now - ALIKE_WITHIN
    mine = list(held_by(request.user))
    sent = ask_everywhere(
        lambda node: sent_alike(
            mine, payee=request.credit, amount=request.amount, since=since, using=node
        )
    )
    waiting = ask_head_office_itself(lambda _node: _waiting_alike(request)) or []
    found = [Alike(recorded_at(transfer), transfer) for transfer in sent]
    found += [Alike(left.queued_at, None) for left in waiting]
    return sorted(found, key=lambda one: one.at, reverse=True)


def _waiting_alike(request: TransferRequest) -> list[ScheduledTransfer]:
    """Return one that the head office keeps for later, if there is any."""
    waiting = ScheduledTransfer.objects.filter(
        user_id=request.user,
        credit=request.credit,
        amount=request.amount.minor,
        currency=request.amount.currency,
        state=ScheduledTransfer.State.WAITING,
        standing_order=None,
    ).exclude(key=request.key)
    return list(waiting[:1])


def _crossing(request: TransferRequest) -> Crossing | None:
    if node_of(request.debit) == node_of(request.credit):
        return None
    numbers = {request.debit, request.credit}
    known = ask_head_office(lambda node: identities(numbers, using=node)) or {}
    if not numbers <= known.keys():
        return Crossing(source="", destination="")
    return Crossing(source=known[request.debit].branch, destination=known[request.credit].branch)


def _cooling(request: TransferRequest, now: datetime) -> datetime | None:
    """Return until when the payee cools off; None also while the head office is silent.

    Sending asks the payer's own node, which holds the limit, whatever is shown before.
    """
    cooling = PayeeCooling.objects.filter(
        account=request.debit, payee=request.credit, until__gt=now
    )
    found = ask_head_office_itself(lambda _node: cooling.first())
    return None if found is None else found.until
