"""Sending a caller's request on to the backend that the balancer would pick, with its own key.

Not through the balancer's port: there the caller's address would be this worker's.
"""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from random import random
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import DomainError
from lb.control.addresses import is_allowed
from lb.control.figures import Figures, figures_by_backend
from lb.control.models import Backend
from lb.control.registry import SERVING, backends
from lb.secret import HEADER

MOST_AT_ONCE: Final = 2
"""Requests that a process passes on at a time: each keeps one of its threads waiting."""
_SECONDS: Final = 15.0
_MOST_BYTES: Final = 4 * 2**20
_turns: Final = threading.BoundedSemaphore(MOST_AT_ONCE)


class NoBackend(DomainError):
    """No backend is there to answer, or too many requests are passed on at once."""

    code = "no_backend"
    http_status = 503


class BackendBroken(DomainError):
    """The backend that was picked does not answer."""

    code = "backend_broken"
    http_status = 502


@dataclass(frozen=True, kw_only=True)
class Passed:
    """A request as its caller wants it sent: ``fields`` are the headers that go with it."""

    method: str
    path: str
    body: Any
    fields: Mapping[str, str]
    client: str
    """The address of who calls."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a backend answered."""

    backend: str
    status: int
    fields: Mapping[str, str]
    body: bytes


def pass_on(request: Passed) -> Answer:
    """Send a request to the backend whose next request costs least, and return its answer.

    Raises:
        NoBackend: none serves, or as many are passed on as may be.
        BackendBroken: it does not answer, or without an end.
    """
    with _turn():
        backend = pick()
        connection = http.client.HTTPConnection(backend.host, backend.port, timeout=_SECONDS)
        try:
            body = None if request.body is None else json.dumps(request.body)
            connection.request(request.method, request.path, body, _fields(request))
            return _answer(backend, connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            message = _("The backend does not answer.")
            raise BackendBroken(message) from error
        finally:
            connection.close()


def pick() -> Backend:
    """Return the backend that serves, is up, and whose next request costs least.

    Raises:
        NoBackend: there is none.
    """
    measured = figures_by_backend()
    found = backends().filter(state__in=SERVING).exclude(is_up=False)
    open_ones = [one for one in found if is_allowed(one.host, one.port)]
    if not open_ones:
        message = _("No backend is there to answer.")
        raise NoBackend(message)
    nothing = Figures()
    # Of equal ones any, or the first would get all.
    return min(open_ones, key=lambda one: (measured.get(one.name, nothing).cost, random()))  # noqa: S311  # turns, not secrets


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(blocking=False):
        message = _("Too many requests are passed on at once.")
        raise NoBackend(message, code="busy")
    try:
        yield
    finally:
        _turns.release()


def _fields(request: Passed) -> dict[str, str]:
    """Return the headers: the caller's, and those by which the balancer tells who calls."""
    seen = ", ".join([request.client] * max(settings.TRUSTED_PROXY_COUNT, 1))
    public = urlsplit(settings.PUBLIC_URL)
    shown = {HEADER: settings.BACKEND_SECRET} if settings.BACKEND_SECRET else {}
    content = {} if request.body is None else {"Content-Type": "application/json"}
    return {
        **request.fields,
        **content,
        **shown,
        "Host": public.netloc,
        "X-Forwarded-For": seen,
        "X-Forwarded-Proto": public.scheme,
    }


def _answer(backend: Backend, found: http.client.HTTPResponse) -> Answer:
    body = found.read(_MOST_BYTES + 1)
    if len(body) > _MOST_BYTES:
        message = _("The backend's answer is too long.")
        raise BackendBroken(message)
    return Answer(
        backend=backend.name, status=found.status, fields=dict(found.getheaders()), body=body
    )
