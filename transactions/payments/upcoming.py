"""What is going to be paid: scheduled transfers, and the dates of standing orders."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import takewhile
from typing import Final

from core.clock import bank_day
from core.money import Money
from transactions.branches.asking import ask_head_office_itself
from transactions.payments.due_dates import schedule_of
from transactions.payments.models import ScheduledTransfer, StandingOrder

# No schedule has more dates in a month.
_MOST_DATES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """One payment to come; ``is_repeated``: it is of a standing order."""

    day: date
    debit: int
    credit: int
    amount: Money
    memo: str
    is_repeated: bool


def upcoming_payments(user: int, *, until: date, now: datetime) -> list[Upcoming] | None:
    """Return what a person has asked to be paid up to and with a day, the next one first.

    What is late counts as of today. None: the head office, which alone knows, does not answer.
    """
    today = bank_day(now)
    found = ask_head_office_itself(
        lambda node: [*_scheduled(user, today, node), *_repeated(user, today, until, node)]
    )
    if found is None:
        return None
    return sorted((one for one in found if one.day <= until), key=lambda one: one.day)


def _scheduled(user: int, today: date, node: str) -> Iterator[Upcoming]:
    state = ScheduledTransfer.State
    waiting = ScheduledTransfer.objects.using(node).filter(
        user_id=user, state__in=[state.WAITING, state.SENDING]
    )
    for one in waiting:
        yield _upcoming(one, max(bank_day(one.not_before), today), is_repeated=False)


def _repeated(user: int, today: date, until: date, node: str) -> Iterator[Upcoming]:
    active = StandingOrder.objects.using(node).filter(
        user_id=user, state=StandingOrder.State.ACTIVE, pay_date__lte=until
    )
    for order in active:
        schedule = schedule_of(order)
        dates = [] if order.next_date is None else schedule.dates_from(
            order.next_date, limit=_MOST_DATES
        )  # fmt: skip
        for day in takewhile(lambda day: day <= until, map(schedule.pay_date, dates)):
            yield _upcoming(order, max(day, today), is_repeated=True)


def _upcoming(one: ScheduledTransfer | StandingOrder, day: date, *, is_repeated: bool) -> Upcoming:
    return Upcoming(
        day=day,
        debit=one.debit,
        credit=one.credit,
        amount=one.money,
        memo=one.memo,
        is_repeated=is_repeated,
    )
