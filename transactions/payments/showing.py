"""What people left with the bank, as pages show it: with names, and the dates to come."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from core.money import Money
from transactions.parties import Party, payee_of, payees_named
from transactions.payments.due_dates import schedule_of
from transactions.payments.models import ScheduledTransfer, StandingOrder
from transactions.payments.schedule import Schedule
from transactions.payments.scheduling import scheduled_transfers_of
from transactions.payments.standing_orders import (
    DATES_SHOWN,
    StandingOrderRequest,
    check_standing_order,
    next_dates,
    payments_of,
    schedule_observed,
    standing_order_of,
    standing_orders_of,
)
from transactions.policy import needs_step_up

# What came of a try is asked for every two minutes: by then its branch is silent for long, its
# person was suspended, or its key may be forgotten and nobody asks any more.
_ANSWERED_WITHIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PayDay:
    """A date of a standing order, and the day on which it is paid."""

    due: date
    paid: date


@dataclass(frozen=True, slots=True)
class OrderView:
    """A standing order, who is paid, and its next dates."""

    order: StandingOrder
    payee: Party
    dates: Sequence[PayDay]

    @property
    def schedule(self) -> Schedule:
        """When it is paid."""
        return schedule_of(self.order)


@dataclass(frozen=True, slots=True)
class OrderPage:
    """A standing order, and what became of its dates, newest first."""

    shown: OrderView
    payments: Sequence[ScheduledTransfer]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCheck:
    """What a standing order would do. ``given``: the very request was made before."""

    payee: Party
    dates: Sequence[PayDay]
    needs_code: bool
    fee: Money
    given: StandingOrder | None


@dataclass(frozen=True, slots=True)
class ScheduledView:
    """A scheduled transfer, who is paid, and whether a try has long been without an answer."""

    transfer: ScheduledTransfer
    payee: Party
    is_unanswered: bool


def check_order(request: StandingOrderRequest, *, now: datetime) -> OrderCheck:
    """Tell what giving a standing order would come to; nothing is written.

    Raises:
        InvalidSchedule, Refused, KeyLimitExceeded, BranchDown
    """
    given = check_standing_order(request, now=now)
    schedule = schedule_observed(request)
    return OrderCheck(
        payee=payee_of(request.credit),
        dates=_pay_days(schedule, schedule.dates_from(schedule.first_date, limit=DATES_SHOWN)),
        needs_code=needs_step_up(request.caller, request.amount),
        # The bank takes nothing for standing orders.
        fee=Money(0, request.amount.currency),
        given=given,
    )


def orders_shown(user: int, *, after: Sequence[str] | None, limit: int) -> list[OrderView]:
    """Return up to ``limit`` of a person's standing orders, newest first, after a position."""
    orders = standing_orders_of(user, after=after, limit=limit)
    parties = payees_named([order.credit for order in orders])
    return [_shown(order, parties[order.credit]) for order in orders]


def order_page(user: int, *, order: UUID, after: Sequence[str] | None, limit: int) -> OrderPage:
    """Return a person's standing order, and up to ``limit`` of its dates that came.

    Raises:
        UnknownStandingOrder
    """
    found = standing_order_of(user, order=order)
    shown = _shown(found, payees_named([found.credit])[found.credit])
    return OrderPage(shown, payments_of(found, after=after, limit=limit))


def scheduled_shown(user: int, *, limit: int, now: datetime) -> list[ScheduledView]:
    """Return up to ``limit`` of a person's scheduled transfers, newest first."""
    found = scheduled_transfers_of(user, limit=limit)
    parties = payees_named([transfer.credit for transfer in found])
    return [
        ScheduledView(transfer, parties[transfer.credit], _is_unanswered(transfer, now))
        for transfer in found
    ]


def _is_unanswered(transfer: ScheduledTransfer, now: datetime) -> bool:
    if transfer.state != ScheduledTransfer.State.SENDING or transfer.tried_at is None:
        return False
    return transfer.tried_at < now - _ANSWERED_WITHIN


def _shown(order: StandingOrder, payee: Party) -> OrderView:
    return OrderView(order, payee, _pay_days(schedule_of(order), next_dates(order)))


def _pay_days(schedule: Schedule, dates: Iterable[date]) -> list[PayDay]:
    return [PayDay(day, schedule.pay_date(day)) for day in dates]
