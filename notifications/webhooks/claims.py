"""The queue of deliveries, in PostgreSQL: taking them, noting what came of them, trying again.

A delivery that is taken is due again a minute later. So one whose worker was killed is found by the
next, and may reach its receiver twice, under the same ``webhook-id``. Whoever comes back late finds
that somebody else has taken it: their failure then counts for nothing, their success does.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from core.db.sql import queries
from notifications.webhooks.models import (
    Attempt,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
)

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
JITTER: Final = 0.1
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
    """Record an attempt, and what follows from it. One transaction; locks delivery and endpoint.

    A delivery or endpoint that was deleted meanwhile is passed over.
    """
    with transaction.atomic():
        endpoint = Endpoint.objects.select_for_update(no_key=True).filter(pk=claim.endpoint_id)
        delivery = Delivery.objects.select_for_update(no_key=True).filter(pk=claim.delivery_id)
        to, of = endpoint.first(), delivery.first()
        if to is None or of is None:
            return
        Attempt.objects.create(
            delivery=of,
            at=outcome.at,
            milliseconds=outcome.milliseconds,
            status=outcome.status,
            failure=outcome.failure,
            excerpt=outcome.excerpt,
        )
        if outcome.is_success:
            _note_success(to, of)
        else:
            _note_failure(to, of, claim, outcome)


def _note_success(endpoint: Endpoint, delivery: Delivery) -> None:
    delivery.state = DeliveryState.DELIVERED
    delivery.save(update_fields=["state"])
    if endpoint.failing_since is not None:
        endpoint.failing_since = None
        endpoint.save(update_fields=["failing_since"])


def _note_failure(endpoint: Endpoint, delivery: Delivery, claim: Claim, outcome: Outcome) -> None:
    is_gone = outcome.status == HTTPStatus.GONE
    if delivery.state == DeliveryState.PENDING and delivery.tries == claim.tries:
        if is_gone or claim.tries > len(DELAYS):
            delivery.state = DeliveryState.FAILED
        else:
            delivery.next_attempt_at = outcome.at + _delay(claim.tries)
        delivery.save(update_fields=["state", "next_attempt_at"])
    endpoint.failing_since = endpoint.failing_since or outcome.at
    if endpoint.state == EndpointState.ENABLED:
        if is_gone:
            _disable(endpoint, EndpointState.GONE)
        elif outcome.at - endpoint.failing_since > MOST_DAYS_FAILING:
            _disable(endpoint, EndpointState.FAILING)
    endpoint.save(update_fields=["state", "failing_since", "is_owner_told"])


def _disable(endpoint: Endpoint, state: EndpointState) -> None:
    endpoint.state = state
    endpoint.is_owner_told = False


def _delay(tries: int) -> timedelta:
    """Return how long to wait after an attempt; never the same for all that failed together."""
    return DELAYS[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # no secret
