"""What is going to be paid: scheduled transfers, and the dates of standing orders."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from django.db import connections

from core.clock import bank_day
from core.db.sql import queries
from core.money import Money
from transactions.branches.asking import ask_head_office_itself
from transactions.payments.due_dates import schedule_of, worked_days_of
from transactions.payments.models import StandingOrder

_QUERIES: Final = queries(Path(__file__).parent.parent / "sql" / "upcoming.sql")
# No schedule has more dates in a month.
_MOST_DATES: Final = 6
# By so much may a date be paid before its day.
_MOST_EARLIER: Final = timedelta(days=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """One payment to come; ``is_repeated``: it is of a standing order."""

    day: date
    debit: int
    credit: int
    amount: Money
    memo: str
    is_repeated: bool


class _Row(NamedTuple):
    """A scheduled transfer, or a standing order, as the database has it."""

    is_repeated: bool
    debit: int
    credit: int
    amount: int
    currency: str
    memo: str
    not_before: datetime | None
    frequency: str
    month_end: bool
    weekend: str
    first_date: date
    last_date: date | None
    next_date: date | None
    pay_date: date | None


def upcoming_payments(user: int, *, until: date, now: datetime) -> list[Upcoming] | None:
    """Return what a person has asked to be paid up to and with a day, the next one first.

    What is late counts as of today. None: the head office, which alone knows, does not answer.
    """
    today = bank_day(now)
    rows = ask_head_office_itself(lambda node: _rows(user, until, node))
    if rows is None:
        return None
    found = [_upcoming(row, day) for row in rows for day in _days(row, until)]
    # What is late is tried today.
    late = (replace(one, day=max(one.day, today)) for one in found)
    return sorted((one for one in late if one.day <= until), key=lambda one: one.day)


def _rows(user: int, until: date, node: str) -> list[_Row]:
    with connections[node].cursor() as cursor:
        cursor.execute(_QUERIES["upcoming"], {"user": user, "until": until})
        return [_Row._make(row) for row in cursor.fetchall()]


def _days(row: _Row, until: date) -> list[date]:
    """Return the days on which something is paid, with the first one later than ``until``."""
    if row.not_before is not None:
        return [bank_day(row.not_before)]
    if row.next_date is None or row.pay_date is None:
        return []
    order = StandingOrder(
        debit=row.debit,
        frequency=row.frequency,
        month_end=row.month_end,
        weekend=row.weekend,
        first_date=row.first_date,
        last_date=row.last_date,
    )
    later = schedule_of(order).dates_from(row.next_date, limit=_MOST_DATES)[1:]
    within = [day for day in later if day <= until + _MOST_EARLIER]
    # The calendar is looked at for those alone that the order does not tell.
    return [row.pay_date, *(map(worked_days_of(order).pay_date, within) if within else ())]


def _upcoming(row: _Row, day: date) -> Upcoming:
    return Upcoming(
        day=day,
        debit=row.debit,
        credit=row.credit,
        amount=Money(row.amount, row.currency),
        memo=row.memo,
        is_repeated=row.is_repeated,
    )
