"""Events, and to which endpoints they go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import QuerySet

from notifications.webhooks.models import Delivery, Endpoint, EndpointState, Event

_NAMESPACE: Final = UUID("5d2e0a0b-6c1d-4a4e-8f5e-0d1c4a7b9e31")
# Clocks of nodes differ. More than this before an endpoint was there, nothing concerns it.
_SKEW: Final = timedelta(minutes=10)
_PORTION: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """What one person is to be told. ``source`` names what happened, and tells it from all else."""

    owner: int
    type: str
    source: str
    occurred_at: datetime
    data: dict[str, Any]

    @property
    def event_id(self) -> UUID:
        """The same for the same, however often it is recorded."""
        return uuid5(_NAMESPACE, f"{self.owner} {self.type} {self.source}")


def listening_people() -> set[int]:
    """Return the people who have an endpoint that is told anything."""
    return set(_listening().values_list("owner_id", flat=True))


def record_events(events: Collection[NewEvent], *, now: datetime) -> None:
    """Record events for the endpoints that want them, to be delivered. All of them or none.

    Recording one again changes nothing. One that no endpoint wants is not kept.
    """
    endpoints = _endpoints_of({event.owner for event in events})
    wanted = [
        (event, endpoint)
        for event in events
        for endpoint in endpoints.get(event.owner, ())
        if event.type in endpoint.event_types and event.occurred_at >= endpoint.created_at - _SKEW
    ]
    kept = {event.event_id: _kept(event, now) for event, _endpoint in wanted}
    deliveries = [
        Delivery(
            id=uuid5(event.event_id, str(endpoint.pk)),
            event_id=event.event_id,
            endpoint=endpoint,
            next_attempt_at=now,
            created_at=now,
        )
        for event, endpoint in wanted
    ]
    if deliveries:
        with transaction.atomic():
            Event.objects.bulk_create(kept.values(), ignore_conflicts=True)
            Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)


def forget_events(*, before: datetime) -> int:
    """Forget what was recorded before an instant, and its history; return how many events.

    Opens a transaction for each portion.
    """
    old = Event.objects.filter(recorded_at__lt=before).values_list("pk", flat=True)
    forgotten = 0
    while portion := list(old[:_PORTION]):
        Event.objects.filter(pk__in=portion).delete()
        forgotten += len(portion)
    return forgotten


def _listening() -> QuerySet[Endpoint]:
    """Return the endpoints that are told; not those of people whom the bank has suspended."""
    return Endpoint.objects.filter(state=EndpointState.ENABLED, owner__is_active=True)


def _endpoints_of(owners: set[int]) -> dict[int, Sequence[Endpoint]]:
    found: dict[int, list[Endpoint]] = {}
    for endpoint in _listening().filter(owner__in=owners):
        found.setdefault(endpoint.owner_id, []).append(endpoint)
    return dict(found)


def _kept(event: NewEvent, now: datetime) -> Event:
    return Event(
        id=event.event_id,
        owner_id=event.owner,
        type=event.type,
        occurred_at=event.occurred_at,
        data=event.data,
        recorded_at=now,
    )
