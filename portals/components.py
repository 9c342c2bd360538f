"""A page with every component of the pages, for those who build them. In the demo only."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.money import Money


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Show the components."""
    if not settings.BANK_DEMO:
        raise Http404
    examples = {"amount": Money(12_500_050, "INR"), "change": Money(-50_000, "INR")}
    return render(request, "components.html", examples)
