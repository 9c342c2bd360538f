"""The dates of standing orders as they come: each leaves one transfer with the bank.

Under a key made of order and date it goes the way of all scheduled transfers from there.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from core.clock import bank_day
from transactions.calendars.holidays import holidays_for
from transactions.payments.models import ScheduledTransfer, StandingOrder
from transactions.payments.schedule import Frequency, Schedule, Weekend

_MOST_AT_ONCE: Final = 200

State = StandingOrder.State
_log = structlog.get_logger(__name__)


def queue_standing_orders(*, now: datetime) -> int:
    """Leave a scheduled transfer for each date that is due, and return how many were left.

    Each order moves on in a transaction of its own, under its lock; dates that were missed come one
    by one. Run it as often as like, from as many processes.
    """
    queued = 0
    for order in _due(now).order_by("pay_date").values_list("pk", flat=True)[:_MOST_AT_ONCE]:
        try:
            queued += _queue_next(order, now)
        except DatabaseError as error:
            # One that cannot be queued keeps no other waiting.
            reason = " ".join(str(error).split())
            _log.warning("standing_order_postponed", order=str(order), error=reason)
    return queued


@transaction.atomic
def _queue_next(order: UUID, now: datetime) -> bool:
    """Queue the date of an order that is due; False: somebody else has."""
    locked = _due(now).select_for_update(skip_locked=True).filter(pk=order).first()
    if locked is None or locked.next_date is None:
        return False
    leave_next(locked, now=now, retry_until=_end_of(bank_day(now)))
    go_on_with(locked, schedule_of(locked).date_after(locked.next_date))
    return True


def about_to_be_paid(accounts: Collection[int], *, by: date) -> Mapping[tuple[int, int], int]:
    """Return what standing orders are to pay to accounts by a day and have not yet.

    In minor units, by the account and the person who gave them.
    """
    orders = StandingOrder.objects.filter(credit__in=accounts, state=State.ACTIVE, pay_date__lte=by)
    sent = ScheduledTransfer.State
    queued = ScheduledTransfer.objects.filter(
        credit__in=accounts, standing_order__isnull=False, state__in=[sent.WAITING, sent.SENDING]
    )
    found: Counter[tuple[int, int]] = Counter()
    wanted = ("credit", "user", "amount")
    for credit, user, minor in (*orders.values_list(*wanted), *queued.values_list(*wanted)):
        found[credit, user] += minor
    return found


def _due(now: datetime) -> QuerySet[StandingOrder]:
    return StandingOrder.objects.filter(state=State.ACTIVE, pay_date__lte=bank_day(now))


def worked_days_of(order: StandingOrder) -> Schedule:
    """Return when an order is paid, by the calendar of the payer's branch."""
    return replace(schedule_of(order), holidays=holidays_for(order.debit))


def schedule_of(order: StandingOrder) -> Schedule:
    """Return the dates of an order, without a look at the calendar."""
    return Schedule(
        frequency=Frequency(order.frequency),
        first_date=order.first_date,
        last_date=order.last_date,
        month_end=order.month_end,
        weekend=Weekend(order.weekend),
    )


def leave_next(order: StandingOrder, *, now: datetime, **how: object) -> None:
    """Leave the transfer of the order's next date with the bank."""
    ScheduledTransfer.objects.create(
        user_id=order.user_id,
        key=f"standing-order:{order.pk}:{order.next_date}",
        debit=order.debit,
        credit=order.credit,
        amount=order.amount,
        currency=order.currency,
        memo=order.memo,
        not_before=now,
        queued_at=now,
        standing_order=order,
        due_date=order.next_date,
        **how,
    )


def go_on_with(order: StandingOrder, following: date | None, *, is_paused: bool = False) -> None:
    """Let a locked order wait for a date; without one it has ended."""
    if following is None:
        order.state = State.ENDED
    else:
        order.state = State.PAUSED if is_paused else State.ACTIVE
    order.next_date = following
    order.pay_date = None if following is None else worked_days_of(order).pay_date(following)
    order.save(update_fields=["state", "next_date", "pay_date"])


def end_order(order: UUID) -> None:
    """End an order before its last date, if it is not over yet. Locks it; needs a transaction."""
    unfinished = StandingOrder.objects.filter(pk=order, state__in=[State.ACTIVE, State.PAUSED])
    locked = unfinished.select_for_update().first()
    if locked is not None:
        go_on_with(locked, None)


def _end_of(day: date) -> datetime:
    """Return the last instant at which a day's transfers are tried."""
    zone = ZoneInfo(settings.BANK_TIME_ZONE)
    return datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(seconds=1)
