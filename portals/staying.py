"""Staying logged in: a page that somebody is at says so, and nobody is asked to start again."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from portals.customer.page import customer_page


@require_POST
@customer_page
def stay(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  # Django passes it
    """Answer nothing: asking is what counts."""
    return HttpResponse(status=204)
