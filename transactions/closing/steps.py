"""What is done for each day of the bank, in this order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from transactions.closing.outcome import Outcome
from transactions.interest.accruing import accrue_interest
from transactions.interest.paying import pay_interest
from transactions.payments.due_dates import queue_standing_orders
from transactions.payments.models import ScheduledTransfer
from transactions.payments.schedule import is_month_end
from transactions.payments.scheduling import send_due_transfers
from transactions.products.charging import charge_fees

ACCRUALS: Final = "accruals"
"""The step after which what accounts have earned on a day is known."""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of closing a day that can be broken off at any instant and done again."""

    name: str
    work: Callable[[date, datetime], Outcome]
    is_due: Callable[[date], bool] = lambda _day: True


def _pay_standing_orders(day: date, now: datetime) -> Outcome:
    """Queue what `manage.py watch` has not, and send all that is due; each of it has its key.

    What a silent branch, or want of money, holds up is tried again by the watch: no day waits for
    it.
    """
    while queue_standing_orders(now=now):
        pass
    send_due_transfers(now=now, most=None)
    queued = ScheduledTransfer.objects.filter(standing_order__isnull=False, due_date=day)
    return Outcome(queued.count())


def _accrue(day: date, _now: datetime) -> Outcome:
    return accrue_interest(day)


def _pay_interest(day: date, now: datetime) -> Outcome:
    return pay_interest(day, now=now)


def _charge_fees(day: date, now: datetime) -> Outcome:
    return charge_fees(day, now=now)


_STEPS: Final = [
    Step("standing_orders", _pay_standing_orders),
    Step(ACCRUALS, _accrue),
    Step("interest", _pay_interest, is_month_end),
    Step("fees", _charge_fees, is_month_end),
]


def add_steps(*steps: Step) -> None:
    """Have steps of an app above done after those that are known."""
    _STEPS.extend(steps)


def steps_of_a_day() -> Sequence[Step]:
    """Return what is done for a day, in order."""
    return tuple(_STEPS)
