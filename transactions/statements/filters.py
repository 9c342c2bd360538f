"""Which entries of a history are wanted: the same for pages, files and the API."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.money import Money
from transactions.ledger.posting import Kind
from transactions.ledger.reads import EntryFilter

WantedEntries = EntryFilter
KINDS: Final = tuple(kind.value for kind in Kind if kind is not Kind.MOVE)
DIRECTIONS: Final = ("in", "out")


class EmptyRange(DomainError):
    """A range ends before it begins."""

    code = "empty_range"


def wanted_of(filtered: Mapping[str, Any], currency: str) -> EntryFilter:
    """Return what checked filters want, of amounts in a currency.

    Raises:
        InvalidAmount, UnknownCurrency, EmptyRange
    """
    first, last = filtered.get("date_from"), filtered.get("date_to")
    least, most = (_minor(filtered, name, currency) for name in ("amount_min", "amount_max"))
    _check_range(first, last, field="date_to")
    _check_range(least, most, field="amount_max")
    value_day = filtered.get("value_date")
    return EntryFilter(
        since=first and start_of(first),
        until=last and start_of(last + timedelta(days=1)),
        value_since=value_day and start_of(value_day),
        value_until=value_day and start_of(value_day + timedelta(days=1)),
        direction=filtered.get("direction"),
        least=least,
        most=most,
        kind=filtered.get("kind"),
        text=filtered.get("text"),
    )


def start_of(day: date) -> datetime:
    """Return the instant at which a day of the bank begins."""
    return datetime.combine(day, time(), ZoneInfo(settings.BANK_TIME_ZONE))


def _minor(filtered: Mapping[str, Any], name: str, currency: str) -> int | None:
    text = filtered.get(name)
    if text is None:
        return None
    try:
        return Money.parse(text, currency).minor
    except DomainError as error:
        if error.field == "amount":
            error.field = name
        raise


def _check_range(first: Any, last: Any, *, field: str) -> None:
    if first is not None and last is not None and last < first:
        message = _("This is before the range begins.")
        raise EmptyRange(message, field=field)
