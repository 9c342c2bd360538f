"""Standing orders: given, paused, resumed, skipped and cancelled by whoever pays.

What becomes of their dates is in ``due_dates``.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.callers import Caller
from accounts.numbers import is_bank_account
from accounts.step_up import require_step_up
from core.api.step_up import StepUp
from core.clock import bank_day
from core.db.keyset import older
from core.errors import DomainError
from core.money import Money
from transactions.calendars.holidays import holidays_for
from transactions.ledger.codes import Code, Refused
from transactions.payments.due_dates import (
    go_on_with,
    leave_next,
    schedule_of,
    worked_days_of,
)
from transactions.payments.models import ScheduledTransfer, StandingOrder
from transactions.payments.parties import check_parties
from transactions.payments.schedule import Frequency, Schedule, is_month_end
from transactions.policy import check_key_limit, needs_step_up

DATES_SHOWN: Final = 5
# No order outlives whoever gave it.
_FURTHEST: Final = timedelta(days=36_525)

State = StandingOrder.State


class InvalidSchedule(DomainError):
    """The dates of a standing order do not fit together; ``code`` says why."""

    code = "invalid_schedule"


class UnknownStandingOrder(DomainError):
    """There is no such standing order of this person."""

    code = "unknown_standing_order"
    http_status = 404


class StandingOrderOver(DomainError):
    """A standing order has ended or was cancelled, so that it cannot be changed."""

    code = "standing_order_over"
    http_status = 409


class PaymentUnderWay(DomainError):
    """A payment of a standing order is being sent, so that the order cannot be cancelled yet."""

    code = "payment_under_way"
    http_status = 409


class PayeeElsewhere(DomainError):
    """A standing order of other books pays an account at another bank, which this one cannot."""

    code = "payee_elsewhere"
    http_status = 409


class NotTheNextDate(DomainError):
    """The date to skip is not the next one of the standing order."""

    code = "not_the_next_date"
    http_status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingOrderRequest:
    """A person's wish to pay again and again. The ``key`` makes asking twice harmless."""

    caller: Caller
    key: str
    debit: int
    credit: int
    amount: Money
    schedule: Schedule
    memo: str = ""


def create_standing_order(
    request: StandingOrderRequest, *, step_up: StepUp, now: datetime
) -> tuple[StandingOrder, bool]:
    """Promise a payment at each date of a schedule, and tell whether it is new.

    The same request again answers with the same order. A large amount needs a code, once for all of
    its payments. No transaction may be open.

    Raises:
        InvalidSchedule: its dates do not fit together, or the first one is past.
        Refused: it could never be sent, or its key stands for another one.
        KeyLimitExceeded: an API key sends no such amount.
        StepUpRequired, WrongStepUpCode
        BranchDown: a branch does not answer.
    """
    found = check_standing_order(request, now=now)
    if found is not None:
        return found, False
    if needs_step_up(request.caller, request.amount):
        require_step_up(
            request.caller.pk,
            action="give a standing order",
            **asdict(step_up),
            now=now,
        )
    schedule = schedule_observed(request)
    order, is_new = StandingOrder.objects.get_or_create(
        user_id=request.caller.pk,
        key=request.key,
        defaults={
            **_asked(request),
            "next_date": request.schedule.first_date,
            "pay_date": schedule.pay_date(schedule.first_date),
            "created_at": now,
        },
    )
    if not is_new:
        _check_same(order, request)
    return order, is_new


def check_standing_order(request: StandingOrderRequest, *, now: datetime) -> StandingOrder | None:
    """Check that a standing order can be given, and return the one given before, if any.

    Raises:
        InvalidSchedule, Refused, KeyLimitExceeded, BranchDown
    """
    found = _find(request)
    if found is None:
        _check_schedule(schedule_observed(request), today=bank_day(now))
        check_key_limit(request.caller, request.amount)
        check_parties(request.debit, request.credit, request.amount, user=request.caller.pk)
    return found


def schedule_observed(request: StandingOrderRequest) -> Schedule:
    """Return when a standing order would be paid, the holidays of the payer's branch observed."""
    return replace(request.schedule, holidays=holidays_for(request.debit))


def standing_order_of(user: int, *, order: UUID) -> StandingOrder:
    """Return a person's standing order.

    Raises:
        UnknownStandingOrder
    """
    found = StandingOrder.objects.filter(pk=order, user_id=user).first()
    if found is None:
        message = _("There is no such standing order of yours.")
        raise UnknownStandingOrder(message)
    return found


def standing_orders_of(
    user: int, *, after: Sequence[str] | None, limit: int
) -> list[StandingOrder]:
    """Return up to ``limit`` of a person's standing orders, newest first, after a position."""
    mine = StandingOrder.objects.filter(user_id=user)
    return list(older(mine, by="created_at", than=after)[:limit])


def payments_of(
    order: StandingOrder, *, after: Sequence[str] | None, limit: int
) -> list[ScheduledTransfer]:
    """Return what became of up to ``limit`` dates of an order, newest first, after a position."""
    of_order = ScheduledTransfer.objects.filter(standing_order=order)
    return list(older(of_order, by="queued_at", than=after)[:limit])


def next_dates(order: StandingOrder) -> list[date]:
    """Return the next dates of an order, as far as they are shown; none once it is over."""
    if order.next_date is None or order.state in {State.CANCELLED, State.ENDED}:
        return []
    return schedule_of(order).dates_from(order.next_date, limit=DATES_SHOWN)


@transaction.atomic
def pause_standing_order(user: int, *, order: UUID) -> StandingOrder:
    """Send nothing more until the order is resumed; what is due already is tried on.

    Raises:
        UnknownStandingOrder, StandingOrderOver
    """
    found = _locked(user, order)
    _refuse_over(found)
    found.state = State.PAUSED
    found.save(update_fields=["state"])
    return found


@transaction.atomic
def resume_standing_order(user: int, *, order: UUID, now: datetime) -> StandingOrder:
    """Go on with a paused order, from today; the dates that passed meanwhile are not made up for.

    Raises:
        UnknownStandingOrder, StandingOrderOver
        PayeeElsewhere: it was brought in with other books, and stays paused.
    """
    found = _locked(user, order)
    _refuse_over(found)
    if is_bank_account(found.credit):
        message = _("It pays an account at another bank, and we send nothing to other banks.")
        raise PayeeElsewhere(message)
    if found.state == State.PAUSED:
        go_on_with(found, _later(found, worked_days_of(found).date_paid_from(bank_day(now))))
    return found


@transaction.atomic
def skip_date(user: int, *, order: UUID, day: date, now: datetime) -> StandingOrder:
    """Leave out the next date of an order; asked for twice, it leaves out one.

    Raises:
        UnknownStandingOrder, StandingOrderOver
        NotTheNextDate
    """
    found = _locked(user, order)
    skipped = ScheduledTransfer.objects.filter(
        standing_order=found, due_date=day, state=ScheduledTransfer.State.CANCELLED
    )
    if skipped.exists():
        return found
    _refuse_over(found)
    if day != found.next_date:
        message = _("The next date of this standing order is %(day)s.") % {"day": found.next_date}
        raise NotTheNextDate(message, field="date")
    leave_next(found, now=now, state=ScheduledTransfer.State.CANCELLED, reason="Skipped.")
    is_paused = found.state == State.PAUSED
    go_on_with(found, schedule_of(found).date_after(day), is_paused=is_paused)
    return found


@transaction.atomic
def cancel_standing_order(user: int, *, order: UUID) -> StandingOrder:
    """End an order for good, and what of it is waiting to be sent.

    Locks both, and so comes before a try to send or after it.

    Raises:
        UnknownStandingOrder
        StandingOrderOver: it has ended by itself.
        PaymentUnderWay: nothing is cancelled.
    """
    found = _locked(user, order)
    if found.state == State.CANCELLED:
        return found
    _refuse_over(found)
    _cancel_waiting(found)
    found.state = State.CANCELLED
    found.save(update_fields=["state"])
    return found


def _cancel_waiting(order: StandingOrder) -> None:
    """Cancel what of a locked order waits.

    Raises:
        PaymentUnderWay: a payment might yet be made.
    """
    sent = ScheduledTransfer.State
    payments = ScheduledTransfer.objects.filter(
        standing_order=order, state__in=[sent.WAITING, sent.SENDING]
    )
    if any(payment.state == sent.SENDING for payment in payments.select_for_update()):
        message = _(
            "A payment of this standing order is being sent this very moment, so nothing was "
            "cancelled. Please try again in a moment, or pause it: that stops the later dates."
        )
        raise PaymentUnderWay(message)
    payments.update(state=sent.CANCELLED, reason="")


def _find(request: StandingOrderRequest) -> StandingOrder | None:
    """Return the order that the same request made before, or None.

    Raises:
        Refused: its key stands for another one.
    """
    found = StandingOrder.objects.filter(user_id=request.caller.pk, key=request.key).first()
    if found is not None:
        _check_same(found, request)
    return found


def _check_same(order: StandingOrder, request: StandingOrderRequest) -> None:
    if any(getattr(order, name) != value for name, value in _asked(request).items()):
        raise Refused(Code.KEY_REUSED)


def _check_schedule(schedule: Schedule, *, today: date) -> None:
    if schedule.pay_date(schedule.first_date) < today:
        message = _("The first date is past, or would be paid on a day that is.")
        raise InvalidSchedule(message, code="first_date_past", field="first_date")
    if max(schedule.first_date, schedule.last_date or today) - today > _FURTHEST:
        message = _("The dates lie too far ahead.")
        raise InvalidSchedule(message, code="date_too_far", field="last_date")
    if schedule.last_date is not None and schedule.last_date < schedule.first_date:
        message = _("The last date is before the first one.")
        raise InvalidSchedule(message, code="last_date_before_first", field="last_date")
    if schedule.month_end:
        _check_month_end(schedule)


def _check_month_end(schedule: Schedule) -> None:
    if schedule.frequency in {Frequency.WEEKLY, Frequency.FORTNIGHTLY}:
        message = _("Dates at the end of the month are a month apart, or more.")
        raise InvalidSchedule(message, code="month_end_of_weeks", field="month_end")
    if not is_month_end(schedule.first_date):
        message = _("The first date is not the last day of its month.")
        raise InvalidSchedule(message, code="first_date_not_month_end", field="first_date")


def _asked(request: StandingOrderRequest) -> dict[str, object]:
    """Return a request as the order's fields."""
    return {
        "debit": request.debit,
        "credit": request.credit,
        "amount": request.amount.minor,
        "currency": request.amount.currency,
        "memo": request.memo,
        "frequency": request.schedule.frequency,
        "month_end": request.schedule.month_end,
        "weekend": request.schedule.weekend,
        "first_date": request.schedule.first_date,
        "last_date": request.schedule.last_date,
    }


def _locked(user: int, order: UUID) -> StandingOrder:
    """Lock a person's order. Needs a transaction."""
    standing_order_of(user, order=order)
    return StandingOrder.objects.select_for_update().get(pk=order)


def _refuse_over(order: StandingOrder) -> None:
    if order.state in {State.CANCELLED, State.ENDED}:
        message = _("This standing order is over and cannot be changed.")
        raise StandingOrderOver(message)


def _later(order: StandingOrder, day: date | None) -> date | None:
    """Return the later one of a date and the order's next one, so that none is paid twice."""
    if day is None or order.next_date is None:
        return None
    return max(day, order.next_date)
