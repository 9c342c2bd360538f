"""What happens around every request."""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID, uuid4

import structlog
from django.core.signals import got_request_exception
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, clear_contextvars

from core.client_address import client_address
from core.db.naming import asked_by
from core.db.patience import patient_for

HEADER: Final = "X-Request-ID"
HEALTH: Final = "/health"
_META: Final = "HTTP_X_REQUEST_ID"
_FAILED: Final = "bank.failed"
PATIENCE_SECONDS: Final = 8.0
_SECRET_PATHS: Final = re.compile(r"(/auth/(?:password/reset/key|confirm-email)/)[^/]+")

_log = structlog.get_logger("requests")


class RequestLogMiddleware:
    """Give each request an id, on log lines, in its answer and its statements, and log it once.

    A caller's own ``X-Request-ID`` is kept when it is a UUID. Secrets do not reach the log: query
    strings are left out, and so are the keys of links in mails.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        got_request_exception.connect(_log_failure, dispatch_uid="request log")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        asking = _kept(request.META.get(_META)) or uuid4()
        known_as = request.META[_META] = str(asking)
        bind_contextvars(request_id=known_as, ip=client_address(request))
        try:
            with asked_by(asking):
                response = self._get_response(request)
            response[HEADER] = known_as
            if _FAILED not in request.META:
                _log_answer(request, response.status_code)
            return response
        finally:
            clear_contextvars()


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


def _log_answer(request: HttpRequest, code: int) -> None:
    if request.path == HEALTH and code == HTTPStatus.OK:
        # Several ask each second: only what is wrong is worth a line.
        return
    _bind_person(request)
    level = logging.INFO
    if code >= HTTPStatus.BAD_REQUEST:
        level = logging.WARNING if code < HTTPStatus.INTERNAL_SERVER_ERROR else logging.ERROR
    _log.log(level, "request_finished", request=_named(request), code=code)


def _log_failure(request: HttpRequest | None = None, **_signal: Any) -> None:
    """Log what nobody expected, while its traceback is at hand."""
    if request is None:
        return
    _bind_person(request)
    request.META[_FAILED] = True
    _log.exception("request_failed", request=_named(request), code=500)


def _bind_person(request: HttpRequest) -> None:
    """Note who asks, when that is known already: a log line asks the database nothing."""
    user = getattr(request, "_cached_user", None)
    if user is not None and user.pk is not None:
        bind_contextvars(user_id=user.pk)


def _named(request: HttpRequest) -> str:
    """Name the request without its secrets."""
    path = _SECRET_PATHS.sub(r"\1…", request.path)
    return f"{request.method} {path}"


def _kept(given: str | None) -> UUID | None:
    if given is None:
        return None
    try:
        return UUID(given)
    except ValueError:
        return None
