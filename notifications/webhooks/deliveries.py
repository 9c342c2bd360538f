"""The history of deliveries, and sending one once more."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.errors import DomainError
from notifications.webhooks.endpoints import endpoint_of
from notifications.webhooks.models import (
    TEST_EVENT,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    Event,
)


class UnknownDelivery(DomainError):
    """The person has no such delivery."""

    code = "unknown_delivery"
    http_status = 404


class EndpointDisabled(DomainError):
    """The endpoint is disabled, so nothing is sent to it."""

    code = "webhook_disabled"
    http_status = 409


def deliveries_to(
    owner: int, *, endpoint_id: UUID, after: Sequence[str] | None, limit: int
) -> list[Delivery]:
    """Return up to ``limit`` deliveries to a person's endpoint, newest first, with their attempts.

    ``after`` is the ``position_of`` the last one of the page before.

    Raises:
        UnknownEndpoint
    """
    endpoint = endpoint_of(owner, endpoint_id=endpoint_id)
    found = endpoint.deliveries.select_related("event").prefetch_related("attempts")
    if after is not None:
        at, last = datetime.fromisoformat(after[0]), UUID(after[1])
        found = found.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=last))
    return list(found.order_by("-created_at", "-pk")[:limit])


def position_of(delivery: Delivery) -> list[str]:
    """Return where a listing stands after a delivery."""
    return [delivery.created_at.isoformat(), str(delivery.pk)]


def redeliver(owner: int, *, delivery_id: UUID, now: datetime) -> Delivery:
    """Send an event again to the endpoint it went to, at once; one still to be sent, now.

    Raises:
        UnknownDelivery, EndpointDisabled
    """
    asked = deliveries_of(owner).filter(pk=delivery_id).first()
    if asked is None:
        message = _("You have no such delivery.")
        raise UnknownDelivery(message)
    _refuse_disabled(asked.endpoint)
    with transaction.atomic():
        pending = Delivery.objects.select_for_update(no_key=True).filter(
            event=asked.event_id, endpoint=asked.endpoint_id, state=DeliveryState.PENDING
        )
        found = pending.first()
        if found is not None:
            pending.filter(pk=found.pk, next_attempt_at__gt=now).update(next_attempt_at=now)
            return deliveries_of(owner).get(pk=found.pk)
        return Delivery.objects.create(
            event_id=asked.event_id,
            endpoint_id=asked.endpoint_id,
            next_attempt_at=now,
            created_at=now,
        )


def send_test(owner: int, *, endpoint_id: UUID, now: datetime) -> Delivery:
    """Send an endpoint an event of no consequence, at once.

    Raises:
        UnknownEndpoint, EndpointDisabled
    """
    endpoint = endpoint_of(owner, endpoint_id=endpoint_id)
    _refuse_disabled(endpoint)
    data = {"webhook": str(endpoint.pk)}
    with transaction.atomic():
        event = Event.objects.create(
            id=uuid4(),
            owner_id=owner,
            type=TEST_EVENT,
            occurred_at=now,
            data=data,
            recorded_at=now,
        )
        return Delivery.objects.create(
            event=event, endpoint=endpoint, next_attempt_at=now, created_at=now
        )


def deliveries_of(owner: int) -> QuerySet[Delivery]:
    """Return the deliveries to a person's endpoints, with event and endpoint."""
    return Delivery.objects.filter(endpoint__owner=owner).select_related("event", "endpoint")


def _refuse_disabled(endpoint: Endpoint) -> None:
    if endpoint.state != EndpointState.ENABLED:
        message = _("The webhook is disabled; enable it first.")
        raise EndpointDisabled(message)
