"""What people and programs see when no view could answer."""

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from core.api.problems import problem_response
from core.middleware import request_id

API: Final = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Answer what cannot be understood."""
    return _answer(request, 400, _("This request could not be understood."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Answer what is not allowed."""
    return _answer(request, 403, _("This is not allowed."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Answer a form that does not come from a page of ours, or from one of an ended session."""
    return _answer(request, 403, _("The page you sent this from is too old. Open it again."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Answer for an address that nothing is at, or nothing of yours."""
    return _answer(request, 404, _("There is nothing at this address."))


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Stand before an address that a library brings along and the bank does not serve.

    Raises:
        Http404
    """
    raise Http404(request.path)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when the bank itself failed."""
    return _answer(request, 500, _("Something went wrong on our side."))


def _answer(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    if request.path.startswith(API):
        return problem_response(request, status=status, detail=detail)
    context = {
        "status": status,
        "detail": detail,
        "request_id": request_id(request),
        "theme": request.COOKIES.get("theme"),
    }
    # Without the request: its user may be what failed.
    return HttpResponse(render_to_string("error.html", context), status=status)
