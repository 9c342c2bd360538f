"""Requests of programs: they show a token, and need nothing of what serves browsers."""

from collections.abc import Callable
from typing import Any, ClassVar, Final, cast

from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse

_API: Final = "/api/v1/"
# At the door tokens and browsers' sessions meet.
_DOOR: Final = "/api/v1/auth/"


class ProgramMiddleware:
    """Answer programs at once: without cookies, sessions, forms, and headers for pages.

    It stands before the middleware that does all this: a quarter of a transfer's Python.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._for_browsers = get_response
        self._for_programs = cast(
            "Callable[[HttpRequest], HttpResponse]", convert_exception_to_response(_Views().answer)
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        if not is_of_program(request):
            return self._for_browsers(request)
        # Whoever names another host is refused here, too.
        request.get_host()
        answer = self._for_programs(request)
        if not answer.streaming:
            answer["Content-Length"] = str(len(answer.content))
        return answer


def is_of_program(request: HttpRequest) -> bool:
    """Tell whether a request shows a token, good or not: no view looks at its cookies then."""
    path: str = request.path_info
    shows_token = request.META.get("HTTP_AUTHORIZATION", "")[:7].lower() == "bearer "
    return shows_token and path.startswith(_API) and not path.startswith(_DOOR)


class _Views(BaseHandler):
    """Django's way from an address to its view's answer, with no middleware around."""

    _view_middleware: ClassVar[list[Any]] = []
    _template_response_middleware: ClassVar[list[Any]] = []
    _exception_middleware: ClassVar[list[Any]] = []

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the answer of a request's view."""
        found: HttpResponse = self._get_response(request)  # type: ignore[attr-defined]  # not in the stubs
        return found
