"""A person's webhooks: those of ``notifications``, with the step-up that a new one needs."""

from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.webhooks import register_webhook
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.pages import PageFilters
from core.api.representation import given, instant
from core.api.schema import operation
from core.api.serializers import (
    BooleanField,
    ChoiceField,
    InstantField,
    IntegerField,
    ListField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.step_up import step_up_of
from core.api.views import BankView, caller_pk
from notifications.webhooks import endpoints
from notifications.webhooks.deliveries import deliveries_to, position_of, redeliver, send_test
from notifications.webhooks.models import (
    TEST_EVENT,
    Attempt,
    Delivery,
    DeliveryState,
    Endpoint,
    EndpointState,
    EventType,
)

_SCOPE: Final = "webhooks:write"
_ID: Final = "0b6f3d5e-2f3c-4a80-9d0e-6d1f0c7a2b11"
_ENDPOINT: Final = {
    "id": _ID,
    "url": "https://shop.example/bank-events",
    "event_types": ["transfer.credited"],
    "state": "enabled",
    "created_at": "2026-03-02T09:30:00Z",
}
_NEW_ENDPOINT: Final = {**_ENDPOINT, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
_ATTEMPT: Final = {
    "at": "2026-03-02T09:30:01Z",
    "milliseconds": 84,
    "status": 200,
    "excerpt": "ok",
}
_DELIVERY: Final = {
    "id": "7f0a5a86-42a5-5a1b-8c8e-1a2b3c4d5e6f",
    "webhook": _ID,
    "event": "3d0c7f5b-9a39-5b0a-a2a5-4f6a1b2c3d4e",
    "event_type": "transfer.credited",
    "state": "delivered",
    "created_at": "2026-03-02T09:30:00Z",
    "attempts": [_ATTEMPT],
}


class EndpointBody(StrictSerializer):
    """The body of ``POST /api/v1/webhooks``."""

    url = TextField(pattern="^https?://.+", help_text="https, at a public address.")
    event_types = ListField(child=ChoiceField(EventType.values), least=1, most=len(EventType))


class EndpointChange(StrictSerializer):
    """The body of ``PATCH /api/v1/webhooks/{id}``."""

    event_types = ListField(
        child=ChoiceField(EventType.values), least=1, most=len(EventType), required=False
    )
    enabled = BooleanField(required=False)


class EndpointAnswer(Serializer[Any]):
    """A webhook. ``failing_since``: since when nothing has been taken."""

    id = UuidField()
    url = TextField()
    event_types = ListField(child=ChoiceField(EventType.values), most=len(EventType))
    state = ChoiceField(EndpointState.values)
    created_at = InstantField()
    failing_since = InstantField(required=False)


class NewEndpointAnswer(EndpointAnswer):
    """A webhook with its secret, which is shown this once."""

    secret = TextField()


class EndpointsAnswer(Serializer[Any]):
    """All webhooks of the caller."""

    webhooks = EndpointAnswer(many=True)


class AttemptAnswer(Serializer[Any]):
    """One attempt: the status that came back, or why none did, and how the answer began."""

    at = InstantField()
    milliseconds = IntegerField(least=0, most=3_600_000)
    status = IntegerField(least=100, most=999, required=False)
    failure = TextField(required=False)
    excerpt = TextField(required=False)


class DeliveryAnswer(Serializer[Any]):
    """An event on its way to a webhook. ``event`` is the ``webhook-id`` of its messages."""

    id = UuidField()
    webhook = UuidField()
    event = UuidField()
    event_type = ChoiceField([*EventType.values, TEST_EVENT])
    state = ChoiceField(DeliveryState.values)
    created_at = InstantField()
    next_attempt_at = InstantField(required=False)
    attempts = AttemptAnswer(many=True)


class DeliveriesAnswer(Serializer[Any]):
    """A page of a webhook's deliveries."""

    deliveries = DeliveryAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class EndpointList(BankView):
    """The caller's webhooks."""

    access: ClassVar = {
        "GET": Access(CUSTOMER, scope=_SCOPE),
        # No key makes a way by which what happens leaves the bank.
        "POST": Access(CUSTOMER),
    }

    @operation(answer=EndpointsAnswer, example={"webhooks": [_ENDPOINT]})
    def get(self, request: Request) -> Response:
        """Show the webhooks, the oldest first."""
        found = endpoints.endpoints_of(caller_pk(request))
        return Response({"webhooks": [_endpoint(one) for one in found]})

    @operation(
        body=EndpointBody,
        body_example={"url": _ENDPOINT["url"], "event_types": _ENDPOINT["event_types"]},
        answer=NewEndpointAnswer,
        example=_NEW_ENDPOINT,
        status=HTTPStatus.CREATED,
        step_up=True,
    )
    def post(self, request: Request) -> Response:
        """Register a webhook.

        The answer has its secret, which is never shown again. The address must be https, public
        and answer without a redirect.
        """
        body = EndpointBody.read(request.data)
        new = register_webhook(
            caller_pk(request),
            **body,
            step_up=step_up_of(request),
            now=clock.now(),
        )
        where = reverse("api-webhook", args=[new.endpoint.pk])
        return Response(_with_secret(new), status=201, headers={"Location": where})


class EndpointDetail(BankView):
    """One webhook of the caller's."""

    access: ClassVar = {
        "GET": Access(CUSTOMER, scope=_SCOPE),
        "PATCH": Access(CUSTOMER, scope=_SCOPE),
        "DELETE": Access(CUSTOMER, scope=_SCOPE),
    }

    @operation(answer=EndpointAnswer, example=_ENDPOINT)
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Show a webhook."""
        return Response(
            _endpoint(endpoints.endpoint_of(caller_pk(request), endpoint_id=endpoint_id))
        )

    @operation(
        body=EndpointChange,
        body_example={"enabled": False},
        answer=EndpointAnswer,
        example={**_ENDPOINT, "state": "disabled"},
    )
    def patch(self, request: Request, endpoint_id: UUID) -> Response:
        """Change what a webhook is told, or whether it is.

        Its address never changes: another address is another webhook. One that is enabled again is
        sent what is left of the last three days.
        """
        body = EndpointChange.read(request.data)
        changed = endpoints.change_endpoint(
            caller_pk(request),
            endpoint_id=endpoint_id,
            event_types=body.get("event_types"),
            is_enabled=body.get("enabled"),
            now=clock.now(),
        )
        return Response(_endpoint(changed))

    @operation(answer=None, status=HTTPStatus.NO_CONTENT)
    def delete(self, request: Request, endpoint_id: UUID) -> Response:
        """Delete a webhook with the history of its deliveries."""
        endpoints.delete_endpoint(caller_pk(request), endpoint_id=endpoint_id)
        return Response(status=204)


class SecretRotation(BankView):
    """The secret of a webhook."""

    access: ClassVar = {"POST": Access(CUSTOMER, scope=_SCOPE)}

    @operation(answer=NewEndpointAnswer, example=_NEW_ENDPOINT)
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Give a webhook a new secret.

        For 24 hours messages are signed by the new one and by the one before.
        """
        new = endpoints.rotate_secret(caller_pk(request), endpoint_id=endpoint_id, now=clock.now())
        return Response(_with_secret(new))


class EndpointTest(BankView):
    """A try of a webhook."""

    access: ClassVar = {"POST": Access(CUSTOMER, scope=_SCOPE)}

    @operation(
        answer=DeliveryAnswer,
        example={**_DELIVERY, "event_type": TEST_EVENT, "state": "pending", "attempts": []},
        status=HTTPStatus.ACCEPTED,
    )
    def post(self, request: Request, endpoint_id: UUID) -> Response:
        """Send a webhook an event of the type ``webhook.test``."""
        sent = send_test(caller_pk(request), endpoint_id=endpoint_id, now=clock.now())
        return Response(_delivery(sent), status=HTTPStatus.ACCEPTED)


class DeliveryList(BankView):
    """The deliveries to a webhook."""

    access: ClassVar = {"GET": Access(CUSTOMER, scope=_SCOPE)}
    filters = PageFilters

    @operation(answer=DeliveriesAnswer, example={"deliveries": [_DELIVERY], "has_more": False})
    def get(self, request: Request, endpoint_id: UUID) -> Response:
        """Show a page of the deliveries, newest first, each with its attempts.

        They are kept for 30 days.
        """
        page = self.page(request)
        found = deliveries_to(
            caller_pk(request),
            endpoint_id=endpoint_id,
            after=page.after,
            limit=page.sought,
        )
        return Response(page.answer("deliveries", found, show=_delivery, position=position_of))


class Redelivery(BankView):
    """A delivery once more."""

    access: ClassVar = {"POST": Access(CUSTOMER, scope=_SCOPE)}

    @operation(
        answer=DeliveryAnswer,
        example={**_DELIVERY, "state": "pending", "attempts": []},
        status=HTTPStatus.ACCEPTED,
    )
    def post(self, request: Request, delivery_id: UUID) -> Response:
        """Send an event to its webhook again, under the same ``webhook-id``.

        One that is still to be sent is sent now.
        """
        again = redeliver(caller_pk(request), delivery_id=delivery_id, now=clock.now())
        return Response(_delivery(again), status=HTTPStatus.ACCEPTED)


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    failing = endpoint.failing_since
    return given(
        id=str(endpoint.pk),
        url=endpoint.url,
        event_types=endpoint.event_types,
        state=endpoint.state,
        created_at=instant(endpoint.created_at),
        failing_since=None if failing is None else instant(failing),
    )


def _with_secret(new: endpoints.NewSecret) -> dict[str, Any]:
    return {**_endpoint(new.endpoint), "secret": new.secret}


def _delivery(delivery: Delivery) -> dict[str, Any]:
    is_pending = delivery.state == DeliveryState.PENDING
    return given(
        id=str(delivery.pk),
        webhook=str(delivery.endpoint_id),
        event=str(delivery.event_id),
        event_type=delivery.event.type,
        state=delivery.state,
        created_at=instant(delivery.created_at),
        next_attempt_at=instant(delivery.next_attempt_at) if is_pending else None,
        attempts=[_attempt(one) for one in delivery.attempts.all()],
    )


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return given(
        at=instant(attempt.at),
        milliseconds=attempt.milliseconds,
        status=attempt.status,
        failure=attempt.failure or None,
        excerpt=attempt.excerpt or None,
    )
