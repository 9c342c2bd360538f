"""Holds: money that a person sets aside for a payee, to be captured, released, or to run out.

Whoever holds rights on the account or on the payee's sees a hold, captures it and releases it: what
is set aside was agreed to, and the rest is free again. Both accounts live on one node, and neither
leaves it while the hold is open.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.callers import Caller
from accounts.numbers import is_bank_account
from accounts.step_up import require_step_up
from core.api.step_up import StepUp
from core.clock import bank_day
from core.db.reading import note_used
from core.errors import DomainError
from core.money import Money
from transactions.branches.asking import ask_everywhere, refuse_silence_of
from transactions.branches.following import follow_accounts
from transactions.branches.outcomes import BranchDown, OutcomeUnknown, silence_named
from transactions.branches.registry import node_of, nodes
from transactions.ledger import posting, reads
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Channel, HoldReceipt, Order, Receipt
from transactions.ledger.reads import LAST_ID, Hold
from transactions.payments.parties import payer_account
from transactions.policy import check_key_limit, needs_step_up
from transactions.selectors import held_by

LONGEST: Final = timedelta(days=31)
_NAMES: Final[dict[str | None, str]] = {
    "debit_account": "account",
    "credit_account": "payee_account",
}
STATES: Final = ("open", "captured", "released", "expired")


class HoldAcrossBranches(DomainError):
    """Money is set aside for payees of the account's own branch only."""

    code = "hold_across_branches"

    def __init__(self) -> None:
        message = _("Money can be set aside only for a payee whose account is at the same branch.")
        super().__init__(message, field="payee_account")


class HoldOfCard(DomainError):
    """What a card has set aside is the merchant's to take or to give up."""

    code = "hold_of_card"
    http_status = 403

    def __init__(self) -> None:
        super().__init__(_("A card has set this aside; only the merchant takes it or gives it up."))


class HoldTooLong(DomainError):
    """A hold would last longer than the bank keeps money aside."""

    code = "hold_too_long"

    def __init__(self) -> None:
        message = _("Money is set aside for %(days)s days at most.") % {"days": LONGEST.days}
        super().__init__(message, field="expires_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """A person's wish to set money aside. The ``key`` makes asking twice harmless."""

    user: int
    key: str
    account: int
    payee: int
    amount: Money
    expires_at: datetime
    memo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnding:
    """A person's wish to capture a hold or to release it. The ``key`` makes asking twice harmless.

    ``amount`` is what is captured, None: all of it.
    """

    user: int
    key: str
    hold_id: UUID
    amount: Money | None = None
    memo: str | None = None


def place_hold_as(
    caller: Caller, request: HoldRequest, *, step_up: Callable[[], StepUp], now: datetime
) -> HoldReceipt:
    """Set money aside for a caller of the API, as ``place_hold`` does; confirmed as a transfer is.

    Raises:
        KeyLimitExceeded, StepUpRequired, WrongStepUpCode
        and what ``place_hold`` raises
    """
    check_key_limit(caller, request.amount)
    if needs_step_up(caller, request.amount) and not _was_asked(request):
        require_step_up(caller.pk, action="set money aside", **asdict(step_up()), now=now)
    return place_hold(request, now=now)


def place_hold(request: HoldRequest, *, now: datetime) -> HoldReceipt:
    """Set money of the person's account aside for a payee.

    Raises:
        HoldAcrossBranches, HoldTooLong, Refused, Busy, BranchDown: nothing was set aside.
        OutcomeUnknown: it was or not; the same request sent again tells.
    """
    if request.expires_at > now + LONGEST:
        raise HoldTooLong
    order = _order(request.user, request.key, now)
    with _naming_the_accounts():
        if is_bank_account(request.payee):
            raise Refused(Code.UNKNOWN_CREDIT_ACCOUNT)
        return follow_accounts(
            request.account, request.payee, work=lambda: _place_at_home(request, order)
        )


def capture_hold(ending: HoldEnding, *, now: datetime) -> Receipt:
    """Pay a hold, or a part of it, to its payee, and free the rest.

    Raises:
        HoldOfCard, Refused, Busy, BranchDown: nothing was paid.
        OutcomeUnknown: it was or not; the same request sent again tells.
    """
    node, held = _find_to_end(ending)
    wanted = ending.amount or Money(held.amount, held.currency)
    if wanted.currency != held.currency:
        raise Refused(Code.WRONG_CURRENCY)
    with silence_named(node):
        return posting.capture(
            held.hold_id,
            minor=wanted.minor,
            order=_order(ending.user, ending.key, now),
            memo=ending.memo,
            using=node,
        )


def release_hold(ending: HoldEnding, *, now: datetime) -> bool:
    """Free what a hold has set aside; False: it was done before, under the same key.

    Raises:
        HoldOfCard, Refused, Busy, BranchDown: nothing was freed.
        OutcomeUnknown: it was or not; the same request sent again tells.
    """
    node, held = _find_to_end(ending)
    order = _order(ending.user, ending.key, now)
    with silence_named(node):
        return posting.release(held.hold_id, order=order, using=node)


def hold_of(user: int, *, hold_id: UUID) -> Hold:
    """Return a hold on one of a person's accounts, or for one.

    Raises:
        Refused: there is none with this id that is theirs to see.
        BranchDown: it may be at a branch that does not answer.
    """
    _node, held = _find(hold_id, user=user)
    return held


def holds_of(
    user: int, *, account: int | None, state: str | None, before: UUID | None, limit: int
) -> list[Hold]:
    """Return up to ``limit`` holds on a person's accounts and for them, newest first.

    Raises:
        Refused: ``account`` is none of theirs.
        BranchDown: it may be, at a branch that does not answer.
    """
    mine = held_by(user)
    if account is not None and account not in mine:
        refuse_silence_of(node_of(account))
        raise Refused(Code.UNKNOWN_ACCOUNT)
    wanted = set(mine) if account is None else {account}
    found = ask_everywhere(
        lambda node: reads.holds_of(
            wanted, before=before or LAST_ID, limit=limit, state=state, using=node
        )
    )
    return sorted(found, key=lambda held: held.hold_id, reverse=True)[:limit]


@contextmanager
def _naming_the_accounts() -> Iterator[None]:
    """Blame the accounts by the names that they have in a wish to set money aside."""
    try:
        yield
    except Refused as refusal:
        refusal.field = _NAMES.get(refusal.field, refusal.field)
        raise


def _order(user: int, key: str, now: datetime) -> Order:
    """Return a person's order; their rights are looked up where the hold is."""
    return Order(client=user, channel=Channel.API, day=bank_day(now), key=key)


def _place_at_home(request: HoldRequest, order: Order) -> HoldReceipt:
    node = node_of(request.account)
    # A payee that has moved since changes no answer given before.
    if node_of(request.payee) != node and not _was_asked(request):
        raise HoldAcrossBranches
    note_used(node)
    with silence_named(node):
        return posting.hold(
            account=request.account,
            payee=request.payee,
            amount=request.amount,
            expires_at=request.expires_at,
            order=replace(order, holder=request.user),
            memo=request.memo,
            using=node,
        )


def _was_asked(request: HoldRequest) -> bool:
    """Tell whether the key was used where the account lives: then the answer is no new promise."""
    node = node_of(request.account)
    with silence_named(node):
        return bool(reads.keys_used([request.key], client=request.user, using=node))


def _find_to_end(ending: HoldEnding) -> tuple[str, Hold]:
    """Return a hold that a person may end, and its node.

    Raises:
        HoldOfCard: only cards set money aside for the bank's own accounts.
    """
    node, held = _find(ending.hold_id, user=ending.user)
    if is_bank_account(held.payee):
        raise HoldOfCard
    return node, held


def _find(hold_id: UUID, *, user: int) -> tuple[str, Hold]:
    """Return a hold of a person's, and its node, by the word of the nodes themselves."""
    silent: BranchDown | None = None
    for node in nodes():
        try:
            with silence_named(node):
                held = reads.hold(hold_id, using=node)
        except (BranchDown, OutcomeUnknown):
            silent = BranchDown(node)
        else:
            if held is not None and _may_use(user, held):
                return node, held
    if silent is not None:
        raise silent
    raise Refused(Code.UNKNOWN_HOLD)


def _may_use(user: int, held: Hold) -> bool:
    """Tell whether a person holds rights on one of a hold's accounts, where these live by now.

    Raises:
        BranchDown: that of one of them does not tell, and the other is not theirs.
    """
    silent: BranchDown | None = None
    for number in (held.account, held.payee):
        try:
            payer_account(number, user=user)
        except BranchDown as error:
            silent = error
        except Refused:
            continue
        else:
            return True
    if silent is not None:
        raise silent
    return False
