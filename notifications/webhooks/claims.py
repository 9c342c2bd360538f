"""The queue of deliveries, in PostgreSQL: taking them, noting what came of them, trying again.

A delivery that is taken is due again a minute later. So one whose worker was killed is found by the
next, and may reach its receiver twice, under the same ``webhook-id``. Whoever comes back late finds
that somebody else has taken it: their failure then counts for nothing, their success does.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import connection

from core.backoff import wait_after
from core.db.sql import queries

DELAYS: Final[Sequence[timedelta]] = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=20),
)
"""What lies between a failed attempt and the next: three days in all."""
RETRIED_FOR: Final = timedelta(days=3)
LEASE: Final = timedelta(seconds=60)
MOST_DAYS_FAILING: Final = timedelta(days=5)
_SUCCESSES: Final = range(200, 300)
_QUERIES: Final = queries(Path(__file__).parent / "sql" / "deliveries.sql")


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that the caller alone has taken, for as long as ``LEASE``."""

    delivery_id: UUID
    endpoint_id: UUID
    tries: int
    url: str
    secret: bytes
    former_secret: bytes | None
    event_id: UUID
    type: str
    occurred_at: datetime
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an attempt: a status, or a failure's code."""

    at: datetime
    milliseconds: int
    status: int | None = None
    failure: str = ""
    excerpt: str = ""

    @property
    def is_success(self) -> bool:
        """Tell whether the receiver has taken the message."""
        return self.status is not None and self.status in _SUCCESSES


def claim_due(*, limit: int, of_each: int, busy: Collection[UUID], now: datetime) -> list[Claim]:
    """Take up to ``limit`` deliveries that are due, at most ``of_each`` endpoint, none of ``busy``.

    One statement; in autocommit they are taken when it returns.
    """
    parameters: dict[str, Any] = {
        "limit": limit,
        "of_each": of_each,
        "busy": list(busy),
        "now": now,
        "until": now + LEASE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["claim"], parameters)
        return [Claim(*row) for row in cursor.fetchall()]


def note_outcome(claim: Claim, outcome: Outcome) -> None:
    """Record an attempt, and what follows from it for delivery and endpoint. One statement.

    Locks the endpoint, then the delivery; what was deleted meanwhile is passed over.
    """
    is_gone = outcome.status == HTTPStatus.GONE
    wait = None if is_gone else wait_after(claim.tries, DELAYS)
    parameters: dict[str, Any] = {
        "delivery": claim.delivery_id,
        "endpoint": claim.endpoint_id,
        "tries": claim.tries,
        "is_success": outcome.is_success,
        "is_gone": is_gone,
        "next": None if wait is None else outcome.at + wait,
        "failing_before": outcome.at - MOST_DAYS_FAILING,
        "at": outcome.at,
        "milliseconds": outcome.milliseconds,
        "status": outcome.status,
        "failure": outcome.failure,
        "excerpt": outcome.excerpt,
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["note"], parameters)
