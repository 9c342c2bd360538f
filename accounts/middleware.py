"""What happens around requests that change people."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.audit import acting
from accounts.sessions import IN_SESSION

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class AuditMiddleware:
    """Let the audit know who sends a form of the Django admin or of the log-in door.

    Elsewhere what changes people says so itself: nothing is done around money's requests.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._pages = (reverse("admin:index"), reverse("account_login").removesuffix("login/"))

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, noting who acts."""
        if request.method in _SAFE or not request.path.startswith(self._pages):
            return self._get_response(request)
        session = request.session.get(IN_SESSION)
        with acting(by=request.user.pk, credential=f"session:{session}" if session else ""):
            return self._get_response(request)
