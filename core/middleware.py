"""What happens around every request."""

import re
from collections.abc import Callable
from typing import Final
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware
from structlog.contextvars import bind_contextvars

from core.client_address import client_address
from core.db.patience import patient_for

HEADER: Final = "X-Request-ID"
_META: Final = "HTTP_X_REQUEST_ID"
PATIENCE_SECONDS: Final = 8.0
_SECRET_PATHS: Final = re.compile(r"(/auth/(?:password/reset/key|confirm-email)/)[^/]+")


class RequestLogMiddleware(RequestMiddleware):
    """Give each request an id, on its log lines and in its answer.

    A caller's own ``X-Request-ID`` is kept when it is a UUID. Secrets do not reach the log: query
    strings are left out, and so are the keys of links in mails.
    """

    def prepare(self, request: HttpRequest) -> None:
        """Settle the request's id before anything is logged."""
        request.META[_META] = _kept(request.META.get(_META)) or str(uuid4())
        super().prepare(request)

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        """Send the request's id with the answer."""
        response[HEADER] = request_id(request)
        super().handle_response(request, response)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Name the request without its secrets."""
        path = _SECRET_PATHS.sub(r"\1…", request.path)
        return f"{request.method} {path}"

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """Note the address that counts everywhere: a forged header is in no log line."""
        bind_contextvars(ip=client_address(request))

    @staticmethod
    def bind_user_id(request: HttpRequest) -> None:
        """Note who asks, when that is known already: a log line asks the database nothing."""
        user = getattr(request, "_cached_user", None)
        if user is not None and user.pk is not None:
            bind_contextvars(user_id=user.pk)


class PatienceMiddleware:
    """Let no request wait for ever for a database that has fallen silent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, each of whose statements has a deadline."""
        with patient_for(PATIENCE_SECONDS):
            return self._get_response(request)


def request_id(request: HttpRequest) -> str:
    """Return the id under which a request is logged."""
    return str(request.META[_META])


def _kept(given: str | None) -> str | None:
    try:
        return str(UUID(given))
    except (ValueError, TypeError):
        return None
