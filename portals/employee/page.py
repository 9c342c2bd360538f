"""What all pages of staff share."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from accounts.models import Role
from core.errors import DomainError
from core.middleware import request_id
from portals.customer.page import person

Parameters = ParamSpec("Parameters")
STAFF: Final = frozenset({Role.EMPLOYEE, Role.ADMIN})


def staff_page(
    view: Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase]:
    """Let employees and admins in, nobody else, and keep the page out of caches."""

    @wraps(view)
    def page(
        request: HttpRequest, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponseBase:
        if person(request).role not in STAFF:
            raise PermissionDenied
        try:
            return view(request, *args, **kwargs)
        except DomainError as error:
            return refusal(request, error)

    return never_cache(login_required(page))


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Say in a page of its own why something cannot be shown."""
    context = {
        "status": error.http_status,
        "detail": error.message,
        "request_id": request_id(request),
    }
    return render(request, "error.html", context, status=error.http_status)
