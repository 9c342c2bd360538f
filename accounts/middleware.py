"""What happens around requests that change people."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.audit import acting
from accounts.callers import origin_of
from accounts.sessions import IN_SESSION, USED_AT, SessionStore
from accounts.standing import standing_of
from core import clock

_SESSION_TOKEN: Final = "X-Session-Token"  # noqa: S105  # a header of allauth's
_NOTED_EACH_SECONDS: Final = 60
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class AuditMiddleware:
    """Let the audit know who sends a form of the Django admin or of the log-in door.

    Elsewhere what changes people says so itself: nothing is done around money's requests.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._pages = (reverse("admin:index"), _door())
        self._programs = f"{_door()}app/"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, noting who acts."""
        if request.method in _SAFE or not request.path.startswith(self._pages):
            return self._get_response(request)
        is_program = request.path.startswith(self._programs)
        session = _session_of_program(request) if is_program else request.session
        by = session.get(SESSION_KEY) if is_program else request.user.pk
        name = session.get(IN_SESSION)
        credential = f"session:{name}" if name else ""
        with acting(by=by and int(by), credential=credential, **origin_of(request)):
            return self._get_response(request)


def _session_of_program(request: HttpRequest) -> SessionStore:
    """Return the session that a program names; no cookie says who it is."""
    return SessionStore(request.headers.get(_SESSION_TOKEN))


class IdleMiddleware:
    """Note when somebody asked for a page last: a session that is left alone ends.

    Noted once a minute at most, since each note is written to the database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        now = clock.now().timestamp()
        session = request.session
        if IN_SESSION in session and session.get(USED_AT, 0) + _NOTED_EACH_SECONDS <= now:
            session[USED_AT] = now
        return self._get_response(request)


class SecondFactorMiddleware:
    """Let those who work for the bank do nothing on pages until they have a second factor.

    The log-in door, where they set one up, stays open. The API refuses by itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.STAFF_NEED_SECOND_FACTOR:
            raise MiddlewareNotUsed
        self._get_response = get_response
        self._open = (_door(), "/api/")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, or lead to where a second factor is set up."""
        if not request.path.startswith(self._open) and _needs_second_factor(request):
            messages.warning(request, _("Set up an authenticator app or a passkey to go on."))
            return redirect("mfa_index")
        return self._get_response(request)


def _needs_second_factor(request: HttpRequest) -> bool:
    if request.user.pk is None:
        return False
    known = standing_of(request.user.pk)
    return known is not None and known.needs_second_factor


def _door() -> str:
    return reverse("account_login").removesuffix("login/")
