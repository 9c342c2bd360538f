"""The dates of a standing order: pure.

Dates by the month keep the day of the first one; where a month is too short, its last day counts.
"""

import calendar
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice
from typing import Final

from transactions.payments.models import StandingOrder

Frequency = StandingOrder.Frequency
Weekend = StandingOrder.Weekend

_DAYS: Final = {Frequency.WEEKLY: 7, Frequency.FORTNIGHTLY: 14}
_MONTHS: Final = {Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.YEARLY: 12}
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When to pay: from ``first_date`` on, up to and with ``last_date`` if there is one.

    With ``month_end``, at the last day of each month. ``holidays`` count as weekends do.
    """

    frequency: Frequency
    first_date: date
    last_date: date | None = None
    month_end: bool = False
    weekend: Weekend = Weekend.SAME
    holidays: Collection[date] = frozenset()

    def date_after(self, day: date) -> date | None:
        """Return the first date later than a day; None when there is none."""
        return next((one for one in self._dates() if one > day), None)

    def date_paid_from(self, day: date) -> date | None:
        """Return the first date that is paid on a day or later; None when there is none."""
        return next((one for one in self._dates() if self.pay_date(one) >= day), None)

    def dates_from(self, first: date, *, limit: int) -> list[date]:
        """Return up to ``limit`` dates, from one on."""
        return list(islice((one for one in self._dates() if one >= first), limit))

    def pay_date(self, day: date) -> date:
        """Return the day on which a date is paid, which may be another at weekends and holidays."""
        if self.weekend == Weekend.SAME:
            return day
        step = timedelta(days=-1 if self.weekend == Weekend.BEFORE else 1)
        while day.weekday() >= _SATURDAY or day in self.holidays:
            day += step
        return day

    def _dates(self) -> Iterator[date]:
        for number in count():
            day = self._date(number)
            if self.last_date is not None and day > self.last_date:
                return
            yield day

    def _date(self, number: int) -> date:
        """Return the date with a number; the first one has 0."""
        if self.frequency in _DAYS:
            return self.first_date + timedelta(days=_DAYS[self.frequency] * number)
        months = self.first_date.month - 1 + _MONTHS[self.frequency] * number
        year, month = self.first_date.year + months // 12, months % 12 + 1
        last_day = calendar.monthrange(year, month)[1]
        return date(year, month, last_day if self.month_end else min(self.first_date.day, last_day))


def is_month_end(day: date) -> bool:
    """Tell whether a day is the last of its month."""
    return day.day == calendar.monthrange(day.year, day.month)[1]
