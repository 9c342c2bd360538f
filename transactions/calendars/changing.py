"""Changing the bank's calendar, and with it when standing orders are paid."""

from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Branch
from core.clock import bank_day
from core.errors import DomainError
from transactions.calendars.models import Holiday
from transactions.payments.due_dates import worked_days_of
from transactions.payments.models import StandingOrder

# No run of holidays and weekends is longer.
_REACH: Final = timedelta(days=31)


class InvalidHoliday(DomainError):
    """A day cannot become a holiday, or cease to be one; ``code`` says why."""

    code = "invalid_holiday"


@transaction.atomic
def add_holiday(
    day: date, *, branch: Branch | None, name: str, admin: int, now: datetime
) -> Holiday:
    """Let a branch, or with None the whole bank, not work on a day to come.

    Raises:
        InvalidHoliday: it is no day to come, or is one already.
    """
    _check_ahead(day, now=now)
    added, is_new = Holiday.objects.get_or_create(
        day=day,
        branch=branch,
        withdrawn_at=None,
        defaults={"name": name, "added_by_id": admin, "added_at": now},
    )
    if not is_new:
        message = _("%(day)s is a holiday there already.") % {"day": added}
        raise InvalidHoliday(message, code="holiday_known", field="day")
    _set_pay_dates(added)
    return added


@transaction.atomic
def withdraw_holiday(holiday: Holiday, *, admin: int, now: datetime) -> None:
    """Let a holiday to come be a day like others.

    Raises:
        InvalidHoliday: it is no day to come, or is withdrawn already.
    """
    _check_ahead(holiday.day, now=now)
    mine = Holiday.objects.filter(pk=holiday.pk, withdrawn_at__isnull=True)
    if not mine.update(withdrawn_by=admin, withdrawn_at=now):
        message = _("The holiday is withdrawn already.")
        raise InvalidHoliday(message, code="holiday_withdrawn")
    _set_pay_dates(holiday)


def _check_ahead(day: date, *, now: datetime) -> None:
    if day <= bank_day(now):
        message = _("The calendar is changed for days to come only.")
        raise InvalidHoliday(message, code="day_not_ahead", field="day")


def _set_pay_dates(holiday: Holiday) -> None:
    """Let the orders whose next date is near be paid by the calendar as it is now."""
    near = StandingOrder.objects.filter(
        state__in=[StandingOrder.State.ACTIVE, StandingOrder.State.PAUSED],
        next_date__range=(holiday.day - _REACH, holiday.day + _REACH),
    ).exclude(weekend=StandingOrder.Weekend.SAME)
    if holiday.branch is not None:
        near = near.filter(debit__in=Account.objects.filter(branch=holiday.branch).values("pk"))
    for order in near.select_for_update():
        if order.next_date is not None:
            order.pay_date = worked_days_of(order).pay_date(order.next_date)
            order.save(update_fields=["pay_date"])
