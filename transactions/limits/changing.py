"""What holders do with the limits of their accounts: see them, lower them, ask to raise them.

Lowering counts at once. Raising needs a code and waits a day, so that whoever took over a session
gains nothing by it before the owner notices.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
import structlog
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.approvals import BeingDone, overtake
from accounts.models import Account, UserStatus
from accounts.step_up import require_step_up
from core.api.step_up import StepUp
from core.clock import bank_day
from core.errors import DomainError
from transactions.branches.following import follow_accounts
from transactions.branches.outcomes import OutcomeUnknown
from transactions.branches.registry import node_of
from transactions.branches.rounds import SILENCE, reachable
from transactions.governing import change_limits
from transactions.ledger.accounts import MOVED, Limit, Limits, Status, limits_of
from transactions.ledger.codes import Code, Refused
from transactions.limits.models import LimitRaise
from transactions.payments.parties import payer_account, silence_named_down

CHANGE_LIMITS: Final = "transactions.change_account_limits"
"""What admins ask each other to approve of limits."""
COOLING_OFF: Final = timedelta(hours=24)
OWN: Final = (Limit.DAILY, Limit.TRANSFER)
"""The limits that holders change themselves; what an account may owe is the bank's decision."""
_MOST_AT_ONCE: Final = 50

State = LimitRaise.State
_log = structlog.get_logger(__name__)


class NotTheOwner(DomainError):
    """Only an owner of the account may do this, not an authorised person."""

    code = "not_the_owner"
    http_status = 403


@dataclass(frozen=True, slots=True)
class LimitsView:
    """The limits of an account, and the raises that cool off."""

    limits: Limits
    raises: Sequence[LimitRaise]
    is_owner: bool = False
    """Whether who looks may change them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsRequest:
    """A wish to change limits of an account, in minor units of a currency; None: no bound."""

    user: int
    account: int
    currency: str
    wanted: Mapping[Limit, int | None]


def limits_view(number: int, *, now: datetime) -> LimitsView:
    """Return the limits of any customer's account.

    Raises:
        Refused: there is no such account.
        BranchDown: its branch does not answer.
    """
    return LimitsView(_limits(number, now), list(_cooling(number).order_by("limit")))


def limits_seen_by(user: int, *, number: int, now: datetime) -> LimitsView:
    """Return the limits of a person's account.

    Raises:
        Refused: the person has no such account.
        BranchDown: its branch does not answer.
    """
    is_owner = _check_rights(user, number) == "owner"
    return replace(limits_view(number, now=now), is_owner=is_owner)


def change_own_limits(request: LimitsRequest, *, step_up: StepUp, now: datetime) -> LimitsView:
    """Lower limits at once, and let those that are to be raised cool off first.

    A new wish takes the place of one that cools off; for the same raise again nothing begins anew.
    What was approved about the same limits and is not done yet is done no more. No transaction may
    be open.

    Raises:
        Refused: the person has no such account, or it is closed.
        NotTheOwner
        StepUpRequired, WrongStepUpCode: a limit is to be raised.
        BeingDone: something approved about the same is being done just now.
        BranchDown: its branch does not answer; no limit was changed, and no raise forgotten.
        OutcomeUnknown: it fell silent meanwhile; doing it again is harmless.
    """
    if _check_rights(request.user, request.account) != "owner":
        message = _("Only an owner changes the limits of an account.")
        raise NotTheOwner(message)
    raised = raised_limits(limits_to_change(request, now=now), request.wanted)
    lowered = {limit: to for limit, to in request.wanted.items() if limit not in raised}
    new = {limit: to for limit, to in raised.items() if not _cools_off(request.account, limit, to)}
    if new:
        require_step_up(
            request.user,
            action="raise a limit",
            **asdict(step_up),
            now=now,
        )
    _change(request, lowered=lowered, raised=new, now=now)
    return limits_view(request.account, now=now)


def limits_to_change(request: LimitsRequest, *, now: datetime) -> Limits:
    """Return the limits that hold of an account whose limits can be changed as is wished.

    Raises:
        Refused: there is no such account, it is closed, or in another currency.
        BranchDown: its branch does not answer.
    """
    known = _limits(request.account, now)
    if known.status == Status.CLOSED:
        raise Refused(Code.ACCOUNT_CLOSED)
    if known.currency != request.currency:
        raise Refused(Code.WRONG_CURRENCY)
    return known


def raised_limits(known: Limits, wanted: Mapping[Limit, int | None]) -> dict[Limit, int | None]:
    """Return which of the wanted limits are higher than those that hold."""
    return {limit: to for limit, to in wanted.items() if _is_raise(known.of(limit), to)}


def apply_due_raises(*, now: datetime) -> int:
    """Raise the limits that have cooled off, and return how many were raised.

    Each under a lock of its own, so that who lowers the limit meanwhile is the last; and only while
    whoever asked for it may still have it. What a branch does not answer is done the next time, and
    keeps what others do waiting no longer than its first one does.
    """
    due = LimitRaise.objects.filter(state=State.COOLING, applies_at__lte=now)
    applied = 0
    silent: set[str] = set()
    wishes = reachable(
        due,
        by="applies_at",
        accounts=lambda wish: [wish.account],
        silent=silent,
        most=_MOST_AT_ONCE,
    )
    for wish in wishes:
        mine = due.filter(pk=wish.pk)
        try:
            with transaction.atomic():
                locked = mine.select_for_update(skip_locked=True).first()
                if locked is not None:
                    _apply(locked)
                    applied += 1
        except (Refused, NotTheOwner) as refusal:
            mine.update(state=State.REFUSED, reason=refusal.message)
        except (DomainError, DatabaseError, psycopg.Error) as error:
            reason = " ".join(str(error).split())
            _log.warning("limit_raise_postponed", raise_id=str(wish.pk), error=reason)
            if isinstance(error, SILENCE):
                silent.add(node_of(wish.account))
    return applied


def limits_payload(number: int, limits: Mapping[Limit, int | None]) -> dict[str, Any]:
    """Return limits of an account as a request for approval names them."""
    return {"account": str(number), "limits": {str(name): to for name, to in limits.items()}}


def give_up_raises(number: int, limits: Mapping[Limit, int | None]) -> None:
    """Let no raise come any more after a lowering of which nobody knows whether it was done.

    Opens its own transaction. What is being done just now cannot be stopped.
    """
    with transaction.atomic(), suppress(BeingDone):
        drop_raises(number, limits)
        overtake(CHANGE_LIMITS, limits_payload(number, limits))


def drop_raises(number: int, limits: Mapping[Limit, int | None]) -> None:
    """Forget the raises of limits that cool off; waits for one that is being applied."""
    _cooling(number).filter(limit__in=list(limits)).update(state=State.CANCELLED)


def _change(
    request: LimitsRequest,
    *,
    lowered: Mapping[Limit, int | None],
    raised: Mapping[Limit, int | None],
    now: datetime,
) -> None:
    try:
        with transaction.atomic():
            _note_wishes(request, lowered=lowered, raised=raised, now=now)
            if lowered:
                # In the same transaction: what is refused has not forgotten any raise.
                _lower(request, lowered)
    except OutcomeUnknown:
        give_up_raises(request.account, lowered)
        raise


def _note_wishes(
    request: LimitsRequest,
    *,
    lowered: Mapping[Limit, int | None],
    raised: Mapping[Limit, int | None],
    now: datetime,
) -> None:
    """Let raises cool off, and forget those of the same limits that do."""
    # Two wishes for one account take turns.
    Account.objects.select_for_update().filter(pk=request.account).first()
    drop_raises(request.account, {**lowered, **raised})
    LimitRaise.objects.bulk_create(
        [
            LimitRaise(
                account=request.account,
                limit=limit,
                minor=to,
                asked_by_id=request.user,
                asked_at=now,
                applies_at=now + COOLING_OFF,
            )
            for limit, to in raised.items()
        ]
    )


def _lower(request: LimitsRequest, lowered: Mapping[Limit, int | None]) -> None:
    overtake(CHANGE_LIMITS, limits_payload(request.account, lowered))
    change_limits(
        request.account,
        limits=lowered,
        is_lowering=True,
        client=request.user,
        key=None,
        reason="Lowered by the owner.",
    )


def _apply(wish: LimitRaise) -> None:
    _check_asker(wish)
    change_limits(
        wish.account,
        limits={Limit(wish.limit): wish.minor},
        is_lowering=False,
        client=wish.asked_by_id,
        key=f"limit-raise:{wish.pk}",
        reason="Raised by the owner.",
    )
    wish.state = State.DONE
    wish.save(update_fields=["state"])


def _check_asker(wish: LimitRaise) -> None:
    """Check that whoever asked for a raise could ask for it still.

    Raises:
        NotTheOwner
        BranchDown: the account's branch does not tell.
    """
    is_active = wish.asked_by.status == UserStatus.ACTIVE
    try:
        rights = payer_account(wish.account, user=wish.asked_by_id).rights if is_active else None
    except Refused:
        rights = None
    if rights != "owner":
        message = _("Whoever asked for it is no active owner of the account any more.")
        raise NotTheOwner(message)


def _check_rights(user: int, number: int) -> str:
    """Return a person's rights on an account.

    Raises:
        Refused: they have none.
    """
    try:
        return payer_account(number, user=user).rights
    except Refused as refusal:
        raise Refused(Code.UNKNOWN_ACCOUNT) from refusal


def _limits(number: int, now: datetime) -> Limits:
    def ask() -> Limits:
        node = node_of(number)
        with silence_named_down(node):
            found = limits_of(number, day=bank_day(now), using=node)
        if found is None:
            raise Refused(Code.UNKNOWN_ACCOUNT)
        if found.status == MOVED:
            raise Refused(Code.ACCOUNT_MOVED)
        return found

    return follow_accounts(number, work=ask)


def _is_raise(before: int | None, after: int | None) -> bool:
    return before is not None and (after is None or after > before)


def _cools_off(number: int, limit: Limit, to: int | None) -> bool:
    """Tell whether the very same raise is under way."""
    return _cooling(number).filter(limit=limit, minor=to).exists()


def _cooling(number: int) -> QuerySet[LimitRaise]:
    return LimitRaise.objects.filter(account=number, state=State.COOLING)
