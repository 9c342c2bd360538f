"""The registry of backends over the API, for admins and for workers with an admin's key."""

from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from core import clock
from core.api.access import ADMIN, Access
from core.api.pages import PageFilters
from core.api.representation import given, instant
from core.api.schema import operation
from core.api.serializers import (
    BooleanField,
    ChoiceField,
    InstantField,
    IntegerField,
    LineField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.views import BankView, caller_pk
from lb.control import registry
from lb.control.addresses import LAST_PORT
from lb.control.figures import Figures, figures_by_backend
from lb.control.models import MOST_ALLOWED, Backend, BackendEvent, BackendState, Policy
from lb.control.registry import BackendRequest, Change
from lb.control.selectors import current_policy, current_rate_limit, events

_READS: Final = Access(ADMIN, scope="admin:read")
_GOVERNS: Final = Access(ADMIN, scope="admin:write", permission="lb.govern_backend")
_MOST: Final = 2**53
_ID: Final = "5b0d8f52-5d0e-4d55-a4f4-0f4e0a3f7c11"
_FIGURES: Final = {
    "in_flight": 3,
    "requests": 18204,
    "failures": 2,
    "ejections": 0,
    "p50_ms": 8,
    "p99_ms": 64,
}
_BACKEND: Final = {
    "id": _ID,
    "name": "api-1",
    "host": "10.0.3.14",
    "port": 8001,
    "weight": 100,
    "zone": "mumbai-a",
    "state": "ready",
    "state_since": "2026-03-02T09:30:07Z",
    "up": True,
    "registered_at": "2026-03-02T09:30:00Z",
}
_LIMIT: Final = {"requests_per_second": 50, "burst": 100}
_BODY: Final = {"name": "api-1", "host": "10.0.3.14", "port": 8001, "zone": "mumbai-a"}
_EVENT: Final = {
    "version": 42,
    "at": "2026-03-02T09:30:07Z",
    "backend": _ID,
    "name": "api-1",
    "changes": [{"field": "state", "before": "warming", "after": "ready"}],
}


class WeightField(IntegerField):
    """How large a share of the requests a backend gets, beside the others."""

    def __init__(self, **options: Any) -> None:
        super().__init__(least=1, most=1000, **options)


class BackendBody(StrictSerializer):
    """The body of ``POST /api/v1/lb/backends``."""

    name = TextField(pattern=f"^{registry.NAME}$")
    host = TextField(help_text="An IP address that BACKEND_NETWORKS allows.")
    port = IntegerField(least=1, most=LAST_PORT)
    weight = WeightField(required=False)
    zone = LineField(longest=40, required=False)
    heartbeat = BooleanField(
        required=False, help_text="Whether it leaves when it sends no heartbeat for 10 seconds."
    )


class BackendChange(StrictSerializer):
    """The body of ``PATCH /api/v1/lb/backends/{id}``."""

    weight = WeightField(required=False)
    zone = LineField(longest=40, required=False)


class PolicyBody(StrictSerializer):
    """The body of ``PUT /api/v1/lb/policy``."""

    policy = ChoiceField(Policy.values)


class RateLimitBody(StrictSerializer):
    """The body of ``PUT /api/v1/lb/rate-limit``."""

    requests_per_second = IntegerField(least=1, most=MOST_ALLOWED)
    burst = IntegerField(least=1, most=MOST_ALLOWED, help_text="So many at once.")


class FiguresAnswer(Serializer[Any]):
    """What the data planes measured of a backend since they began."""

    in_flight = IntegerField(least=0, most=_MOST)
    requests = IntegerField(least=0, most=_MOST)
    failures = IntegerField(least=0, most=_MOST)
    ejections = IntegerField(least=0, most=_MOST)
    p50_ms = IntegerField(least=0, most=_MOST, required=False)
    p99_ms = IntegerField(least=0, most=_MOST, required=False)


class BackendAnswer(Serializer[Any]):
    """A backend. ``up`` is what its health checks say."""

    id = UuidField()
    name = TextField()
    host = TextField()
    port = IntegerField(least=1, most=LAST_PORT)
    weight = WeightField()
    zone = TextField(required=False)
    state = ChoiceField(BackendState.values)
    state_since = InstantField()
    up = BooleanField(required=False)
    heartbeat_at = InstantField(required=False)
    registered_at = InstantField()
    figures = FiguresAnswer(required=False)


class BackendsAnswer(Serializer[Any]):
    """All backends that are not removed, by name, and how the one of a request is chosen.

    Without ``rate_limit`` a client may ask the data planes as much as it likes.
    """

    policy = ChoiceField(Policy.values)
    rate_limit = RateLimitBody(required=False)
    backends = BackendAnswer(many=True)


class ChangeAnswer(Serializer[Any]):
    """What was, and what is, of one field; what had no value is left out."""

    field = TextField()
    before = TextField(required=False)
    after = TextField(required=False)


class EventAnswer(Serializer[Any]):
    """A change, by a person or, for a reason, by the bank itself."""

    version = IntegerField(least=1, most=_MOST)
    at = InstantField()
    backend = UuidField(required=False)
    name = TextField(required=False)
    changes = ChangeAnswer(many=True)
    reason = TextField(required=False)
    actor = TextField(required=False, help_text="The user ID of who did it.")


class EventsAnswer(Serializer[Any]):
    """A page of the log."""

    events = EventAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class BackendList(BankView):
    """The load balancer's backends."""

    access: ClassVar = {"GET": _READS, "POST": _GOVERNS}

    @operation(
        answer=BackendsAnswer,
        example={"policy": "hybrid", "backends": [{**_BACKEND, "figures": _FIGURES}]},
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002  # DRF passes it
        """Show the backends, each with what is measured of it."""
        figures = figures_by_backend()
        shown = [shown_backend(one, figures.get(one.name)) for one in registry.backends()]
        limit = current_rate_limit()
        return Response(
            given(
                policy=current_policy(),
                rate_limit=dict(zip(_LIMIT, limit, strict=True)) if limit else None,
                backends=shown,
            )
        )

    @operation(
        body=BackendBody,
        body_example=_BODY,
        answer=BackendAnswer,
        example={**_BACKEND, "state": "registered"},
        status=HTTPStatus.CREATED,
    )
    def post(self, request: Request) -> Response:
        """Register a backend.

        It is checked, and gets requests once it answers `/health` twice in a row. With `heartbeat`
        it says every few seconds that it is there; after 10 silent seconds it is drained.
        """
        asked = BackendRequest(**BackendBody.read(request.data))
        new = registry.register_backend(asked, by=by_caller(request))
        where = reverse("api-lb-backend", args=[new.pk])
        return Response(shown_backend(new), status=HTTPStatus.CREATED, headers={"Location": where})


class BackendDetail(BankView):
    """One backend."""

    access: ClassVar = {"GET": _READS, "PATCH": _GOVERNS, "DELETE": _GOVERNS}

    @operation(answer=BackendAnswer, example={**_BACKEND, "figures": _FIGURES})
    def get(self, request: Request, backend_id: UUID) -> Response:  # noqa: ARG002  # DRF passes it
        """Show a backend."""
        found = registry.backend_of(backend_id)
        return Response(shown_backend(found, figures_by_backend().get(found.name)))

    @operation(
        body=BackendChange,
        body_example={"weight": 50},
        answer=BackendAnswer,
        example={**_BACKEND, "weight": 50},
    )
    def patch(self, request: Request, backend_id: UUID) -> Response:
        """Change a backend's weight or zone. Its address never changes: that is another backend."""
        asked = BackendChange.read(request.data)
        return Response(
            shown_backend(registry.change_backend(backend_id, **asked, by=by_caller(request)))
        )

    @operation(
        answer=BackendAnswer,
        example={**_BACKEND, "state": "draining"},
        status=HTTPStatus.ACCEPTED,
    )
    def delete(self, request: Request, backend_id: UUID) -> Response:
        """Drain a backend, then remove it.

        It gets no new requests; half a minute is left for those that it has. The last backend that
        takes requests stays.
        """
        drained = registry.drain_backend(backend_id, by=by_caller(request))
        return Response(shown_backend(drained), status=HTTPStatus.ACCEPTED)


class BackendHeartbeat(BankView):
    """A sign of life of a backend."""

    access: ClassVar = {"POST": _GOVERNS}

    @operation(answer=BackendAnswer, example=_BACKEND)
    def post(self, request: Request, backend_id: UUID) -> Response:  # noqa: ARG002  # DRF passes it
        """Note that a backend is there. One that drains is refused: it registers anew."""
        return Response(shown_backend(registry.beat(backend_id, now=clock.now())))


class BalancingPolicy(BankView):
    """How the backend of a request is chosen."""

    access: ClassVar = {"PUT": _GOVERNS}

    @operation(
        body=PolicyBody,
        body_example={"policy": "hybrid"},
        answer=PolicyBody,
        example={"policy": "hybrid"},
    )
    def put(self, request: Request) -> Response:
        """Choose the policy."""
        policy = Policy(PolicyBody.read(request.data)["policy"])
        registry.choose_policy(policy, by=by_caller(request))
        return Response({"policy": policy.value})


class ClientRateLimit(BankView):
    """How much one client may ask of the data planes."""

    access: ClassVar = {"PUT": _GOVERNS, "DELETE": _GOVERNS}

    @operation(body=RateLimitBody, body_example=_LIMIT, answer=RateLimitBody, example=_LIMIT)
    def put(self, request: Request) -> Response:
        """Limit clients, by address; one request too many is refused with 429."""
        asked = RateLimitBody.read(request.data)
        registry.limit_clients(**asked, by=by_caller(request))
        return Response(asked)

    @operation(answer=None, status=HTTPStatus.NO_CONTENT)
    def delete(self, request: Request) -> Response:
        """Limit clients no longer. What the bank's own API allows each of them stays."""
        registry.limit_clients(None, None, by=by_caller(request))
        return Response(status=HTTPStatus.NO_CONTENT)


class EventList(BankView):
    """What happened to the backends."""

    access: ClassVar = {"GET": _READS}
    filters = PageFilters

    @operation(answer=EventsAnswer, example={"events": [_EVENT], "has_more": False})
    def get(self, request: Request) -> Response:
        """Show a page of the changes of backends and policy, newest first."""
        page = self.page(request)
        found = events(after=page.after, limit=page.sought)
        return Response(page.answer("events", found, show=_event, position=lambda one: [one.pk]))


def by_caller(request: Request) -> Change:
    """Return by whom a change is made, and when."""
    return Change(now=clock.now(), actor=caller_pk(request))


def shown_backend(backend: Backend, figures: Figures | None = None) -> dict[str, Any]:
    """Return a backend as the API shows it."""
    heard = backend.heartbeat_at
    return given(
        id=str(backend.pk),
        name=backend.name,
        host=backend.host,
        port=backend.port,
        weight=backend.weight,
        zone=backend.zone or None,
        state=str(backend.state),
        state_since=instant(backend.state_since),
        up=backend.is_up,
        heartbeat_at=None if heard is None else instant(heard),
        registered_at=instant(backend.registered_at),
        figures=None if figures is None else _figures(figures),
    )


def _figures(figures: Figures) -> dict[str, Any]:
    p50, p99 = figures.milliseconds(0.5), figures.milliseconds(0.99)
    return given(
        in_flight=figures.in_flight,
        requests=figures.requests,
        failures=figures.failures,
        ejections=figures.ejections,
        p50_ms=None if p50 is None else round(p50),
        p99_ms=None if p99 is None else round(p99),
    )


def _event(event: BackendEvent) -> dict[str, Any]:
    return given(
        version=event.version,
        at=instant(event.at),
        backend=None if event.backend is None else str(event.backend.pk),
        name=None if event.backend is None else event.backend.name,
        changes=[
            given(field=name, before=_text(before), after=_text(after))
            for name, (before, after) in event.changes.items()
        ],
        reason=event.reason or None,
        actor=None if event.actor is None else str(event.actor.number),
    )


def _text(value: Any) -> str | None:
    return None if value in {None, ""} else str(value)
