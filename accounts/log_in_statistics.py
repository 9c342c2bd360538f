"""Statistics of people: log-ins and failures by month, day and role, and who is new."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import connections

from core.db.aliases import HEAD_OFFICE
from core.db.sql import queries

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "log_ins.sql")


@dataclass(frozen=True, slots=True)
class MonthOfLogIns:
    """Log-ins of a month: of people of one role; of all of them when ``role`` is None.

    The role is what they are to the bank now; empty where nobody knows who tried.
    """

    month: date
    role: str | None
    log_ins: int
    failures: int
    lock_outs: int
    people: int


@dataclass(frozen=True, slots=True)
class LogInCount:
    """Log-ins, failures, and how many people logged in."""

    log_ins: int
    failures: int
    people: int


@dataclass(frozen=True, slots=True)
class DayOfLogIns:
    """Log-ins of a day of people of one role, which is empty where nobody knows who tried."""

    day: date
    role: str
    log_ins: int
    failures: int
    people: int


@dataclass(frozen=True, slots=True)
class Joined:
    """How many people of a role are new."""

    role: str
    people: int


def months_of_log_ins(*, since: datetime, until: datetime) -> list[MonthOfLogIns]:
    """Return the months between two instants, newest first: each as a whole, then by role."""
    asked = {"since": since, "until": until, "zone": settings.BANK_TIME_ZONE}
    return [MonthOfLogIns(*row) for row in _rows("months", asked)]


def months_on(
    source: psycopg.Connection, *, since: datetime, until: datetime
) -> list[MonthOfLogIns]:
    """Return the months between two instants as one database shows them."""
    asked = {"since": since, "until": until, "zone": settings.BANK_TIME_ZONE}
    return [MonthOfLogIns(*row) for row in source.execute(_QUERIES["months"], asked)]


def days_on(source: psycopg.Connection, *, since: datetime, until: datetime) -> list[DayOfLogIns]:
    """Return the days between two instants on which anybody tried to log in, oldest first."""
    asked = {"since": since, "until": until, "zone": settings.BANK_TIME_ZONE}
    return [DayOfLogIns(*row) for row in source.execute(_QUERIES["days"], asked)]


def joined_on(source: psycopg.Connection, *, since: datetime, until: datetime) -> list[Joined]:
    """Return how many people joined between two instants, by role."""
    asked = {"since": since, "until": until}
    return [Joined(*row) for row in source.execute(_QUERIES["joined"], asked)]


def log_ins_since(since: datetime) -> LogInCount:
    """Count the log-ins from an instant on."""
    return LogInCount(*_rows("since", {"since": since})[0])


def _rows(name: str, asked: dict[str, Any]) -> list[Any]:
    with connections[HEAD_OFFICE].cursor() as cursor:
        cursor.execute(_QUERIES[name], asked)
        found: list[Any] = cursor.fetchall()
        return found
