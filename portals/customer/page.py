"""What all pages of a customer share."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache

from accounts.callers import Caller
from accounts.models import User
from accounts.sessions import IN_SESSION
from core.errors import DomainError

Parameters = ParamSpec("Parameters")
NOT_FOUND = 404
REFUSED = 422


def customer_page(
    view: Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase],
) -> Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase]:
    """Let people in who are logged in, keep the page out of caches, and hide what is not theirs."""

    @wraps(view)
    def page(
        request: HttpRequest, /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except DomainError as error:
            if error.http_status == NOT_FOUND:
                raise Http404 from error
            raise

    return never_cache(login_required(page))


def person(request: HttpRequest) -> User:
    """Return who is logged in."""
    return cast("User", request.user)


def caller(request: HttpRequest) -> Caller:
    """Return who is logged in, as services want to know them."""
    who = person(request)
    return Caller(
        pk=who.pk,
        role=who.role,
        scopes=None,
        via="session",
        credential=str(request.session.get(IN_SESSION, "")),
    )
