"""Addresses that programs of the bank's first balancer know: requests to send on, and farewells."""

import re
from typing import Any, ClassVar, Final

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.access import ADMIN, ANYONE, Access
from core.api.serializers import ChoiceField, StrictSerializer, TextField, UuidField
from core.api.views import METHODS, BankView
from core.client_address import client_address
from lb.control import registry
from lb.control.api import by_caller, shown_backend
from lb.control.passing_on import Passed, pass_on

PATH: Final = r"/api/v1/[!-\"$-~]{0,2000}"
_PASSED: Final = ("Authorization", "Idempotency-Key", "Accept-Language", "X-Request-ID")
_RETURNED: Final = ("Content-Type", "Location", "Retry-After", "WWW-Authenticate", "Allow")


class PathField(TextField):
    """An address of the API on this bank, with what is asked for after a question mark."""

    def to_internal_value(self, data: Any) -> str:
        """Return the path.

        Raises:
            ValidationError: it is none of ``/api/v1/``.
        """
        text: str = super().to_internal_value(data)
        if not re.fullmatch(PATH, text, re.ASCII):
            self.refuse("not_a_path", "This must be a path under /api/v1/.")
        return text


class AnyField(TextField):
    """Any JSON value, as it is."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the value."""
        return data


class RequestBody(StrictSerializer):
    """The body of ``POST /request``."""

    method = ChoiceField(METHODS)
    path = PathField()
    body = AnyField(required=False)


class DeregisterBody(StrictSerializer):
    """The body of ``POST /deregister``."""

    backend = UuidField()


class SendRequest(BankView):
    """A request for the API, sent to the backend that the balancer would pick.

    Everybody is let in who shows a token or key: what it is good for is decided where it arrives.
    """

    access: ClassVar = {"POST": Access(ANYONE)}

    def post(self, request: Request) -> HttpResponse:
        """Send the request on, and return the answer as it is."""
        if not request.headers.get("Authorization") or not request.user.is_authenticated:
            raise NotAuthenticated
        asked = RequestBody.read(request.data)
        answer = pass_on(
            Passed(
                method=asked["method"],
                path=asked["path"],
                body=asked.get("body"),
                fields=_of(request.headers, _PASSED),
                client=client_address(_plain(request)),
            )
        )
        told = {**_of(answer.fields, _RETURNED), "X-Backend": answer.backend}
        return HttpResponse(answer.body, status=answer.status, headers=told)


class Deregister(BankView):
    """The end of a backend, by who governs them: ``DELETE /api/v1/lb/backends/{id}``."""

    access: ClassVar = {
        "POST": Access(ADMIN, scope="admin:write", permission="lb.govern_backend"),
    }

    def post(self, request: Request) -> Response:
        """Drain a backend, then remove it."""
        asked = DeregisterBody.read(request.data)
        drained = registry.drain_backend(asked["backend"], by=by_caller(request))
        return Response(shown_backend(drained), status=202)


def _of(fields: Any, names: tuple[str, ...]) -> dict[str, str]:
    return {name: fields[name] for name in names if fields.get(name)}


def _plain(request: Request) -> HttpRequest:
    found: HttpRequest = request._request  # noqa: SLF001  # DRF names it so
    return found
