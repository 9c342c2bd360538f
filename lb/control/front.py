"""A web worker behind a balancer serves nobody else."""

from collections.abc import Callable
from hmac import compare_digest

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from core.api.problems import problem_response
from core.middleware import HEALTH
from lb.secret import HEADER


class BalancerAloneMiddleware:
    """Refuse whoever comes past the balancer: who calls is what the balancer writes, and no other.

    Health checks are answered to everybody: they tell no secrets, and come from elsewhere, too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if settings.BACKEND_SECRET is None:
            raise MiddlewareNotUsed
        self._secret = settings.BACKEND_SECRET.encode()
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, if the balancer sends it."""
        given = request.headers.get(HEADER, "").encode()
        if request.path == HEALTH or compare_digest(given, self._secret):
            return self._get_response(request)
        detail = _("This address is for the bank's load balancer.")
        return problem_response(request, status=403, detail=detail, code="past_the_balancer")
