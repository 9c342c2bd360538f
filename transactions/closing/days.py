"""Closing the bank's days: in order, each step once, begun anew wherever it was broken off."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from psycopg import errors

from accounts.models import Account
from core.clock import bank_day
from core.db.sql import queries
from core.errors import DomainError
from transactions.branches.directory import connect
from transactions.branches.position import take_position
from transactions.branches.registry import HEAD_OFFICE
from transactions.closing.models import BankDay, ClosingStep
from transactions.closing.steps import Step, steps_of_a_day

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "turns.sql")
# The server takes a moment to notice that whoever had the turn has died.
TURN_SECONDS: Final = 5.0
_ONE_DAY: Final = timedelta(days=1)
_log = structlog.get_logger(__name__)

Report = Callable[[ClosingStep], None]


class DayNotOver(DomainError):
    """Only days that are over can be closed."""

    code = "day_not_over"


class DayTooEarly(DomainError):
    """A day is earlier than the first one that was closed."""

    code = "day_too_early"


class ClosingUnderWay(DomainError):
    """Somebody else is closing days."""

    code = "closing_under_way"
    http_status = 409


def close_days(*, until: date, now: datetime, report: Report = lambda _step: None) -> list[BankDay]:
    """Close all days up to and with one that are not closed yet, in order, and return them.

    The first day that is ever closed is the one that is asked for first. Killed at any instant,
    the next call goes on where it was. No transaction may be open.

    Raises:
        DayNotOver, DayTooEarly
        ClosingUnderWay
        DomainError: a node does not answer, or is busy; the next call goes on.
    """
    if until >= bank_day(now):
        message = f"{until} is not over. The last day that can be closed is "
        message += f"{bank_day(now) - _ONE_DAY}."
        raise DayNotOver(message)
    with turn():
        return [_close(day, now=now, report=report) for day in _open_days(until)]


def close_missed_days(*, now: datetime) -> list[BankDay]:
    """Close the days up to yesterday unless somebody else is at it; return what was closed.

    Raises:
        DomainError: a node does not answer, or is busy; the next call goes on.
    """
    yesterday = bank_day(now) - _ONE_DAY
    if not Account.objects.exists():
        # A bank that has yet to begin: its first day is still to come.
        return []
    if BankDay.objects.filter(day=yesterday, closed_at__isnull=False).exists():
        return []
    try:
        return close_days(until=yesterday, now=now)
    except ClosingUnderWay:
        return []


def _open_days(until: date) -> Iterator[date]:
    """Yield the days that are not closed yet, up to one.

    Raises:
        DayTooEarly
    """
    known = BankDay.objects.order_by("day")
    first = known.first()
    if first is not None and until < first.day:
        message = f"The first day of this bank that was closed is {first.day}."
        raise DayTooEarly(message)
    last = known.filter(closed_at__isnull=False).last()
    day = until if first is None else first.day if last is None else last.day + _ONE_DAY
    while day <= until:
        yield day
        day += _ONE_DAY


def _close(day: date, *, now: datetime, report: Report) -> BankDay:
    closing, _is_new = BankDay.objects.get_or_create(day=day, defaults={"begun_at": now})
    done = set(closing.steps.values_list("name", flat=True))
    for step in steps_of_a_day():
        if step.name not in done and step.is_due(day):
            report(_do(step, closing, now=now))
    position = take_position(now=now)
    if not position.is_sound:
        _log.error("position_not_sound", day=str(day))
    stored = {**asdict(position), "taken_at": position.taken_at.isoformat()}
    closing.position = {**stored, "is_sound": position.is_sound}
    closing.closed_at = now
    closing.save(update_fields=["position", "closed_at"])
    _log.info("day_closed", day=str(day))
    return closing


def _do(step: Step, closing: BankDay, *, now: datetime) -> ClosingStep:
    outcome = step.work(closing.day, now)
    done, _is_new = ClosingStep.objects.get_or_create(
        day=closing,
        name=step.name,
        defaults={
            "items": outcome.items,
            "amounts": outcome.amounts,
            "left_out": outcome.left_out,
            "finished_at": now,
        },
    )
    return done


@contextmanager
def turn() -> Iterator[None]:
    """Keep others from closing days meanwhile; whoever dies lets go.

    Losing it does no harm: each step is done once also by two at a time.

    Raises:
        ClosingUnderWay
    """
    with connect(HEAD_OFFICE) as waiting:
        waiting.execute(f"SET lock_timeout = '{TURN_SECONDS}s'")
        try:
            waiting.execute(_QUERIES["take_turn"])
        except errors.LockNotAvailable as error:
            message = "Somebody else is closing days just now."
            raise ClosingUnderWay(message) from error
        yield
