"""The bank's only clock: read at the edge (view, command, task) and passed down as ``now``."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone


def now() -> datetime:
    """Return this instant, in UTC."""
    return timezone.now()


def bank_day(now: datetime) -> date:
    """Return the bank's calendar day of an instant, in ``BANK_TIME_ZONE``."""
    return bank_time(now).date()


def bank_time(at: datetime) -> datetime:
    """Return an instant as the bank's clocks show it, in ``BANK_TIME_ZONE``."""
    return at.astimezone(ZoneInfo(settings.BANK_TIME_ZONE))


def start_of(day: date) -> datetime:
    """Return the first instant of a calendar day of the bank's."""
    return datetime.combine(day, time(), ZoneInfo(settings.BANK_TIME_ZONE))
