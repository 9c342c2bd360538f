"""Scheduled transfers: left with the bank, sent once, or cancelled before.

`manage.py watch` sends them, and so does whoever closes a day. Several may try at once and any may
end at any instant: a transfer is claimed by its state and sent under its own key, so that it moves
money once at most. What a suspended person left is held until they are let in again, or its day has
ended.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from time import monotonic
from typing import Final, Literal

import psycopg
import structlog
from django.db import DatabaseError, OperationalError, connections, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.callers import Caller
from accounts.models import User, UserStatus
from accounts.numbers import is_bank_account
from core.api.step_up import StepUp
from core.clock import bank_day, start_of
from core.db.errors import Busy
from core.errors import DomainError
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.branches.registry import node_of
from transactions.branches.rounds import reachable
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Channel, Receipt
from transactions.ledger.reads import rights_on
from transactions.payments.due_dates import end_order
from transactions.payments.models import ScheduledTransfer
from transactions.payments.paying_in import PayeeDone, pay_in
from transactions.payments.telling import tell_of_failed_order
from transactions.services import TransferRequest, confirm_transfer, transfer_funds

# Idempotency keys are kept for at least this long; after it, trying again might move money twice.
LONGEST_WAIT: Final = timedelta(days=30)
_TRY_AGAIN: Final = timedelta(seconds=5)
# Who tries has an answer by then, or has given up: what takes a minute has fallen silent. Where
# not, the key makes two tries one transfer.
_TAKE_OVER: Final = timedelta(minutes=2)
MOST_AT_ONCE: Final = 50
# Salaries come by day: what lacks money in the morning may have it by noon.
_TRY_FOR_MONEY: Final = timedelta(hours=1)

State = ScheduledTransfer.State
_NOT_WAITING: Final = {
    State.SENDING: gettext_lazy(
        "This transfer is being sent this very moment and cannot be cancelled."
    ),
    State.DONE: gettext_lazy("This transfer was sent already and cannot be cancelled."),
    State.REFUSED: gettext_lazy("This transfer was refused before and cannot be cancelled."),
    State.CANCELLED: gettext_lazy("This transfer was cancelled before and cannot be cancelled."),
}
_log = structlog.get_logger(__name__)


class UnknownScheduledTransfer(DomainError):
    """There is no such scheduled transfer of this person."""

    code = "unknown_scheduled_transfer"
    http_status = 404


class NotCancellable(DomainError):
    """A scheduled transfer is not waiting any more, so that it cannot be cancelled."""

    code = "not_cancellable"
    http_status = 409

    def __init__(self, state: str) -> None:
        super().__init__(_NOT_WAITING[State(state)])


class PersonShutOut(DomainError):
    """What a person left is never sent: they are closed, or were suspended while its day was."""

    code = "person_shut_out"
    http_status = 409


def transfer_or_leave_as(
    caller: Caller, request: TransferRequest, *, step_up: Callable[[], StepUp], now: datetime
) -> Receipt | ScheduledTransfer:
    """Send money for a caller, as ``transfer_as`` does; where a branch is down, leave it here.

    Either takes the same code, once.

    Raises:
        KeyLimitExceeded, StepUpRequired, WrongStepUpCode
        Refused, Busy, OutcomeUnknown
        BranchDown: the payer's own branch does not answer.
    """
    earlier = confirm_transfer(caller, request, step_up=step_up, now=now)
    try:
        return earlier or transfer_funds(request, now=now)
    except BranchDown:
        return queue_transfer(request, now=now)


def queue_transfer(
    request: TransferRequest, *, now: datetime, day: date | None = None
) -> ScheduledTransfer:
    """Leave a transfer with the bank, to be sent as soon as both branches can be reached.

    With ``day``, not before that one begins; for lack of money it is tried until that one ends. A
    large one has been confirmed. The same request again answers with the same scheduled transfer.

    Raises:
        Refused: it could never be sent, or its key stands for another one.
        BranchDown: the payer's own branch does not answer.
    """
    if is_bank_account(request.credit):
        raise Refused(Code.UNKNOWN_CREDIT_ACCOUNT)
    source = node_of(request.debit)
    try:
        rights = rights_on(request.debit, user=request.user, using=source)
    except (OperationalError, psycopg.OperationalError) as error:
        raise BranchDown(source) from error
    if rights is None:
        raise Refused(Code.UNKNOWN_DEBIT_ACCOUNT)
    scheduled, _is_new = ScheduledTransfer.objects.get_or_create(
        user_id=request.user,
        key=request.key,
        defaults={**_asked(request, day), **_when(day, now), "queued_at": now},
    )
    _check_same(scheduled, request, day)
    return scheduled


def queued_before(request: TransferRequest, *, day: date | None) -> ScheduledTransfer | None:
    """Return the scheduled transfer that the same request left before, or None.

    Raises:
        Refused: its key stands for another one.
    """
    found = ScheduledTransfer.objects.filter(user_id=request.user, key=request.key).first()
    if found is not None:
        _check_same(found, request, day)
    return found


def _asked(request: TransferRequest, day: date | None) -> dict[str, object]:
    """Return a request as the scheduled transfer's fields."""
    return {
        "debit": request.debit,
        "credit": request.credit,
        "amount": request.amount.minor,
        "currency": request.amount.currency,
        "memo": request.memo or "",
        "due_date": day,
    }


def _when(day: date | None, now: datetime) -> dict[str, object]:
    if day is None:
        return {"not_before": now}
    end = start_of(day + timedelta(days=1)) - timedelta(seconds=1)
    return {"not_before": start_of(day), "retry_until": end}


def _check_same(scheduled: ScheduledTransfer, request: TransferRequest, day: date | None) -> None:
    if any(getattr(scheduled, name) != value for name, value in _asked(request, day).items()):
        raise Refused(Code.KEY_REUSED)


@transaction.atomic
def cancel_transfer(user: int, *, scheduled: int) -> None:
    """Cancel a person's scheduled transfer that is still waiting.

    Locks it, and so comes before a try or after it.

    Raises:
        UnknownScheduledTransfer
        NotCancellable: it is over, or being sent this very moment.
    """
    mine = ScheduledTransfer.objects.select_for_update().filter(pk=scheduled, user_id=user)
    found = mine.first()
    if found is None:
        message = _("There is no such scheduled transfer of yours.")
        raise UnknownScheduledTransfer(message)
    if found.state != State.WAITING:
        raise NotCancellable(found.state)
    mine.update(state=State.CANCELLED, reason="")


def scheduled_transfers_of(user: int, *, limit: int) -> list[ScheduledTransfer]:
    """Return a person's scheduled transfers, newest first."""
    return list(ScheduledTransfer.objects.filter(user_id=user)[:limit])


def send_due_transfers(*, now: datetime, most: int | None = MOST_AT_ONCE) -> int:
    """Try up to ``most`` of the scheduled transfers that wait, or all; return how many were sent.

    No transaction may be open. Of those that need a branch that is down, only one is tried.
    """
    begun = monotonic()
    _give_up_old(now)
    sent = 0
    silent: set[str] = set()
    due = reachable(_due(now), by="tried_at", accounts=_parties, silent=silent, most=most)
    for scheduled in due:
        # A round can take minutes: as of its beginning, a fresh claim would look left over.
        claimed_at = now + timedelta(seconds=monotonic() - begun)
        if not _claim(scheduled, claimed_at):
            continue
        try:
            sent += _send(scheduled, claimed_at)
        except BranchDown as error:
            silent.add(error.node)
        except _NoAnswer:
            silent.add(node_of(scheduled.debit))
    return sent


def _parties(scheduled: ScheduledTransfer) -> tuple[int, int]:
    return scheduled.debit, scheduled.credit


def _due(now: datetime) -> QuerySet[ScheduledTransfer]:
    """Return what is to be tried now.

    Of suspended people that is only what was for a day that has ended, to be refused. What was
    being sent for them is not asked about either: if it was not made, asking makes it.
    """
    untried = Q(tried_at__isnull=True) | Q(tried_at__lte=now - _TRY_AGAIN)
    waiting = Q(state=State.WAITING, not_before__lte=now) & untried
    left_over = Q(
        state=State.SENDING,
        not_before__lte=now,
        tried_at__lte=now - _TAKE_OVER,
    )
    held = Q(user__status=UserStatus.SUSPENDED)
    over = Q(state=State.WAITING, retry_until__lt=now)
    found = ScheduledTransfer.objects.filter(waiting | left_over & _first_tried("gt", now))
    return found.filter(~held | over)


def _first_tried(compared: Literal["gt", "lte"], now: datetime) -> Q:
    """Return what finds transfers by their first instant, compared with the longest wait ago.

    What was left for a day was not tried before that.
    """
    since = now - LONGEST_WAIT
    by_day = Q(due_date__isnull=False, standing_order__isnull=True)
    at_once = Q(**{f"queued_at__{compared}": since})
    on_its_day = Q(**{f"due_date__{compared}": bank_day(since)})
    return ~by_day & at_once | by_day & on_its_day


def _claim(scheduled: ScheduledTransfer, now: datetime) -> bool:
    """Take a scheduled transfer for this try, unless it has changed since it was read."""
    seen = ScheduledTransfer.objects.filter(
        pk=scheduled.pk, state=scheduled.state, tried_at=scheduled.tried_at
    )
    return bool(seen.update(state=State.SENDING, tried_at=now))


class _NoAnswer(Exception):  # no error: the next try will tell
    """It is not known whether a transfer was sent."""


def _send(scheduled: ScheduledTransfer, now: datetime) -> bool:
    """Send a claimed transfer, note what came of it, and tell whether it was sent.

    Raises:
        BranchDown: it waits for a branch.
        _NoAnswer
    """
    try:
        if _is_held(scheduled, now):
            _note(scheduled, now, state=_state_before(scheduled))
            return False
        transfer = pay_in(_request(scheduled), now=now)
    except (OutcomeUnknown, DatabaseError, psycopg.Error) as error:
        # It stays as claimed, and cannot be cancelled; its key tells, with a later try.
        reason = " ".join(str(error).split())
        _log.warning("scheduled_transfer_unanswered", scheduled=scheduled.pk, error=reason)
        connections.close_all()
        raise _NoAnswer from error
    except (BranchDown, Busy) as error:
        _note(scheduled, now, state=_state_before(scheduled), reason=error.message)
        if isinstance(error, BranchDown):
            raise
        return False
    except DomainError as error:
        _refuse(scheduled, error, now)
        return False
    _note(scheduled, now, state=State.DONE, transfer_id=transfer)
    return True


def _is_held(scheduled: ScheduledTransfer, now: datetime) -> bool:
    """Tell whether a claimed transfer waits until its person is let in again.

    Asked of the person anew, since a round can take minutes and they are shut out within a second.

    Raises:
        PersonShutOut: it is never sent.
    """
    status = User.objects.values_list("status", flat=True).get(pk=scheduled.user_id)
    is_suspended = status == UserStatus.SUSPENDED
    # Of one left over from an earlier try the ledger alone knows whether it was sent.
    if status == UserStatus.ACTIVE or scheduled.state == State.SENDING:
        return is_suspended
    if not is_suspended:
        raise PersonShutOut(_("You were no customer of the bank any more."))
    if scheduled.retry_until is not None and scheduled.retry_until < now:
        raise PersonShutOut(_("You were suspended until its day had ended."))
    return True


def _refuse(scheduled: ScheduledTransfer, refusal: DomainError, now: datetime) -> None:
    """Note a refusal; the person is told of a standing order's that is for good.

    Of a payee who takes nothing more they are told once, and the order ends.
    """
    outcome = _after_refusal(scheduled, refusal, now)
    with transaction.atomic():
        order = scheduled.standing_order
        is_done = order is not None and isinstance(refusal, PayeeDone)
        if order is not None and is_done:
            # First, as who cancels it does.
            end_order(order.pk)
        is_ours = _note(scheduled, now, **outcome)
        if is_ours and order is not None and outcome["state"] == State.REFUSED:
            source = f"{order.pk} done" if is_done else str(scheduled.pk)
            tell_of_failed_order(
                order, source=source, reason=refusal.message, has_ended=is_done, now=now
            )


def _after_refusal(
    scheduled: ScheduledTransfer, refusal: DomainError, now: datetime
) -> dict[str, object]:
    """Say what becomes of a refused transfer: for lack of money it may be tried again that day."""
    lacks_money = isinstance(refusal, Refused) and refusal.reason is Code.INSUFFICIENT_FUNDS
    again = now + _TRY_FOR_MONEY
    if lacks_money and scheduled.retry_until is not None and again <= scheduled.retry_until:
        state = _state_before(scheduled)
        return {"state": state, "not_before": again, "reason": refusal.message}
    if scheduled.standing_order_id is not None:
        _log.warning("standing_order_failed", scheduled=scheduled.pk, code=refusal.code)
    return {"state": State.REFUSED, "reason": refusal.message}


def _state_before(scheduled: ScheduledTransfer) -> str:
    """Return the state in which a claimed transfer is left to be tried again.

    Of one left over from an earlier try nobody knows what comes of that: it cannot be cancelled.
    """
    return State.WAITING if scheduled.state == State.WAITING else State.SENDING


def _request(scheduled: ScheduledTransfer) -> TransferRequest:
    return TransferRequest(
        user=scheduled.user_id,
        key=scheduled.key,
        channel=Channel.WEB if scheduled.standing_order_id is None else Channel.BANK,
        debit=scheduled.debit,
        credit=scheduled.credit,
        amount=scheduled.money,
        memo=scheduled.memo or None,
    )


def _note(scheduled: ScheduledTransfer, claimed_at: datetime, **outcome: object) -> bool:
    """Write down what came of a try; unless it was sent, only while no other one has taken over.

    Tell whether it was written.
    """
    mine = ScheduledTransfer.objects.filter(pk=scheduled.pk)
    if outcome["state"] != State.DONE:
        mine = mine.filter(state=State.SENDING, tried_at=claimed_at)
    return bool(mine.update(**{"reason": "", **outcome}))


def _give_up_old(now: datetime) -> None:
    old = ScheduledTransfer.objects.filter(_first_tried("lte", now), state=State.WAITING)
    reason = _("It could not be sent within %(days)s days.") % {"days": LONGEST_WAIT.days}
    old.update(state=State.REFUSED, reason=reason)
