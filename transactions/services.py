"""What the bank does with money: each service is one call for a page, an API method or a task."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import transaction

from accounts.callers import Caller
from accounts.numbers import is_bank_account
from accounts.step_up import require_step_up
from core.api.step_up import StepUp
from core.clock import bank_day
from core.db.reading import note_used
from core.money import Money
from transactions.branches.coordinator import rehearse_across, transfer_across
from transactions.branches.following import follow_accounts
from transactions.branches.outcomes import BranchDown, silence_named
from transactions.branches.registry import node_of
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Channel, Order, Receipt, Transfer, answered, post
from transactions.policy import check_key_limit, needs_step_up

__all__ = [
    "Channel",
    "Preview",
    "Receipt",
    "TransferRequest",
    "confirm_transfer",
    "preview_as",
    "preview_transfer",
    "send",
    "transfer_as",
    "transfer_funds",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequest:
    """A person's wish to send money. The ``key`` makes sending it twice harmless."""

    user: int
    key: str
    channel: Channel
    debit: int
    credit: int
    amount: Money
    memo: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a transfer would come to: the payer's balance after it, and whether it needs a code."""

    debit_after: int | None
    needs_step_up: bool


def transfer_funds(request: TransferRequest, *, now: datetime) -> Receipt:
    """Send money from one of the person's accounts to any other, at once.

    Rights, limits and funds are checked under the accounts' locks: by one statement where both are
    on one node, else by both nodes. No transaction may be open.

    Raises:
        Refused: with the reason; nothing was moved.
        BranchDown: a branch does not answer; nothing was moved.
        Busy: nothing was moved; the same request may be sent again.
        OutcomeUnknown: it was made or not; the same request sent again tells.
    """
    transfer, order = _asked(request, now=now)
    return send(transfer, order=order)


def transfer_as(
    caller: Caller, request: TransferRequest, *, step_up: Callable[[], StepUp], now: datetime
) -> Receipt:
    """Send money for a caller of the API, as ``transfer_funds`` does.

    ``step_up`` is asked only of people who send a large amount, and not for what was sent before.

    Raises:
        KeyLimitExceeded: an API key may not send so much.
        StepUpRequired, WrongStepUpCode
        Refused, BranchDown, Busy, OutcomeUnknown
    """
    earlier = confirm_transfer(caller, request, step_up=step_up, now=now)
    return earlier or transfer_funds(request, now=now)


def confirm_transfer(
    caller: Caller, request: TransferRequest, *, step_up: Callable[[], StepUp], now: datetime
) -> Receipt | None:
    """Let a transfer pass that its caller may send; a large one with a code, which is used up.

    Returns the receipt of a large one that was sent before: it needs none.

    Raises:
        KeyLimitExceeded, StepUpRequired, WrongStepUpCode
        Refused: the key stands for another request.
        BranchDown, Busy: the payer's branch does not tell.
    """
    check_key_limit(caller, request.amount)
    if not needs_step_up(caller, request.amount):
        return None
    earlier = _sent_before(request, now=now)
    if earlier is None:
        require_step_up(caller.pk, action="send money", **asdict(step_up()), now=now)
    return earlier


def preview_as(caller: Caller, request: TransferRequest, *, now: datetime) -> Preview:
    """Return what sending would come to for a caller of the API, and write nothing.

    Raises:
        KeyLimitExceeded, Refused, BranchDown, Busy
    """
    check_key_limit(caller, request.amount)
    receipt = preview_transfer(request, now=now)
    return Preview(receipt.debit_after, needs_step_up(caller, request.amount))


def preview_transfer(request: TransferRequest, *, now: datetime) -> Receipt:
    """Return what sending would answer, and write nothing: it is posted and rolled back.

    Locks both accounts for a moment.

    Raises:
        Refused, BranchDown, Busy
    """
    transfer, order = _asked(request, now=now)
    return follow_accounts(
        transfer.debit, transfer.credit, work=lambda: _rehearse(transfer, order=order)
    )


def send(transfer: Transfer, *, order: Order) -> Receipt:
    """Post a transfer wherever its accounts live. No transaction may be open.

    Raises as ``transfer_funds`` does.
    """
    return follow_accounts(
        transfer.debit, transfer.credit, work=lambda: _send_from_home(transfer, order=order)
    )


def _send_from_home(transfer: Transfer, *, order: Order) -> Receipt:
    source, destination = node_of(transfer.debit), node_of(transfer.credit)
    note_used(source, destination)
    if source == destination:
        with silence_named(source):
            return post(transfer, order=order, using=source)
    try:
        return transfer_across(transfer, order=order, source=source, destination=destination)
    except (BranchDown, Refused):
        # The other side's word does not count for what is decided already.
        earlier = _answered(transfer, order=order, node=source)
        if earlier is None:
            raise
        return earlier


def _sent_before(request: TransferRequest, *, now: datetime) -> Receipt | None:
    """Return the receipt of the same request sent before, if any; writes nothing."""
    transfer, order = _asked(request, now=now)
    return _answered(transfer, order=order, node=node_of(transfer.debit))


def _answered(transfer: Transfer, *, order: Order, node: str) -> Receipt | None:
    with silence_named(node):
        return answered(transfer, order=order, using=node)


def _rehearse(transfer: Transfer, *, order: Order) -> Receipt:
    source, destination = node_of(transfer.debit), node_of(transfer.credit)
    if source != destination:
        return rehearse_across(transfer, order=order, source=source, destination=destination)
    with silence_named(source), transaction.atomic(using=source):
        receipt = post(transfer, order=order, using=source)
        transaction.set_rollback(True, using=source)
    return receipt


def _asked(request: TransferRequest, *, now: datetime) -> tuple[Transfer, Order]:
    """Return a person's wish as the ledger takes it."""
    if is_bank_account(request.credit):
        # People pay people; tills and vaults are the bank's to move.
        raise Refused(Code.UNKNOWN_CREDIT_ACCOUNT)
    transfer = Transfer(request.debit, request.credit, request.amount, memo=request.memo)
    order = Order(
        client=request.user,
        channel=request.channel,
        day=bank_day(now),
        key=request.key,
        holder=request.user,
    )
    return transfer, order
