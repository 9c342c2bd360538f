"""What people do with their endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.errors import DomainError
from core.outgoing import check_address
from notifications.webhooks import signing
from notifications.webhooks.claims import RETRIED_FOR
from notifications.webhooks.models import DeliveryState, Endpoint, EndpointState, EventType

MOST_ENDPOINTS: Final = 16
OVERLAP: Final = timedelta(hours=24)
"""How long messages are signed by a new secret and by the one before."""


class UnknownEndpoint(DomainError):
    """The person has no such endpoint."""

    code = "unknown_webhook"
    http_status = 404


class InvalidEventTypes(DomainError):
    """These are no types of events."""

    code = "invalid_event_types"


class EndpointExists(DomainError):
    """The person has an endpoint at this address already."""

    code = "webhook_exists"
    http_status = 409


class TooManyEndpoints(DomainError):
    """The person has as many endpoints as one may have."""

    code = "too_many_webhooks"
    http_status = 409


@dataclass(frozen=True, slots=True)
class NewSecret:
    """An endpoint with its new secret, which is shown this once."""

    endpoint: Endpoint
    secret: str


def endpoints_of(owner: int) -> list[Endpoint]:
    """Return a person's endpoints, the oldest first."""
    return list(Endpoint.objects.filter(owner_id=owner))


def endpoint_of(owner: int, *, endpoint_id: UUID) -> Endpoint:
    """Return one endpoint of a person's.

    Raises:
        UnknownEndpoint
    """
    return _known(Endpoint.objects.filter(owner_id=owner, pk=endpoint_id).first())


def check_registration(owner: int, *, url: str, event_types: Sequence[str]) -> None:
    """Check that an endpoint could be registered, without doing it.

    Raises:
        AddressRefused, InvalidEventTypes, EndpointExists, TooManyEndpoints
    """
    _check_event_types(event_types)
    existing = Endpoint.objects.filter(owner_id=owner)
    if existing.filter(url=url).exists():
        raise _exists()
    if existing.count() >= MOST_ENDPOINTS:
        message = _("There is room for %(most)s webhooks; delete one first.") % {
            "most": MOST_ENDPOINTS
        }
        raise TooManyEndpoints(message)
    check_address(url)


def register_endpoint(
    owner: int, *, url: str, event_types: Sequence[str], now: datetime
) -> NewSecret:
    """Register an endpoint that ``check_registration`` let pass.

    Raises:
        EndpointExists: it was registered meanwhile.
    """
    secret = signing.new_secret()
    try:
        endpoint = Endpoint.objects.create(
            owner_id=owner,
            url=url,
            event_types=sorted(set(event_types)),
            secret=signing.seal(secret),
            created_at=now,
        )
    except IntegrityError:
        raise _exists() from None
    return NewSecret(endpoint, secret)


def change_endpoint(
    owner: int,
    *,
    endpoint_id: UUID,
    event_types: Sequence[str] | None = None,
    is_enabled: bool | None = None,
    now: datetime,
) -> Endpoint:
    """Change what an endpoint is told, or whether it is. Locks it.

    Enabled again, it is sent what was left of the last three days; what is older is given up.

    Raises:
        UnknownEndpoint, InvalidEventTypes
    """
    if event_types is not None:
        _check_event_types(event_types)
    with transaction.atomic():
        endpoint = _locked(owner, endpoint_id)
        if event_types is not None:
            endpoint.event_types = sorted(set(event_types))
        if is_enabled is False and endpoint.state == EndpointState.ENABLED:
            endpoint.state = EndpointState.DISABLED
        elif is_enabled and endpoint.state != EndpointState.ENABLED:
            endpoint.state, endpoint.failing_since = EndpointState.ENABLED, None
            _give_up_old(endpoint, now=now)
        endpoint.save()
    return endpoint


def rotate_secret(owner: int, *, endpoint_id: UUID, now: datetime) -> NewSecret:
    """Give an endpoint a new secret; the one before signs as well for ``OVERLAP``. Locks it.

    Raises:
        UnknownEndpoint
    """
    secret = signing.new_secret()
    with transaction.atomic():
        endpoint = _locked(owner, endpoint_id)
        endpoint.former_secret = endpoint.secret
        endpoint.former_secret_until = now + OVERLAP
        endpoint.secret = signing.seal(secret)
        endpoint.save()
    return NewSecret(endpoint, secret)


def delete_endpoint(owner: int, *, endpoint_id: UUID) -> None:
    """Delete an endpoint, and the history of its deliveries.

    Raises:
        UnknownEndpoint
    """
    with transaction.atomic():
        _locked(owner, endpoint_id).delete()


def _give_up_old(endpoint: Endpoint, *, now: datetime) -> None:
    """Give up what an endpoint has not been sent for longer than deliveries are retried."""
    old = endpoint.deliveries.filter(state=DeliveryState.PENDING, created_at__lt=now - RETRIED_FOR)
    old.update(state=DeliveryState.FAILED)


def _locked(owner: int, endpoint_id: UUID) -> Endpoint:
    endpoints = Endpoint.objects.select_for_update(no_key=True)
    return _known(endpoints.filter(owner_id=owner, pk=endpoint_id).first())


def _known(endpoint: Endpoint | None) -> Endpoint:
    if endpoint is None:
        message = _("You have no such webhook.")
        raise UnknownEndpoint(message)
    return endpoint


def _check_event_types(event_types: Sequence[str]) -> None:
    unknown = [name for name in event_types if name not in EventType]
    if unknown or not event_types:
        message = _("Choose from %(events)s.") % {"events": ", ".join(EventType)}
        raise InvalidEventTypes(message, field="event_types")


def _exists() -> EndpointExists:
    message = _("You have a webhook at this address already; change that one.")
    return EndpointExists(message, field="url")
