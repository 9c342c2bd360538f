"""The demo's outbox: mails and messages that a real bank would have sent."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications.outbox import messages

MOST_SHOWN = 50


@require_safe
@never_cache
def outbox(request: HttpRequest) -> HttpResponse:
    """Show the newest messages, so that their links can be followed."""
    if not settings.BANK_DEMO:
        raise Http404
    return render(request, "outbox.html", {"sent": messages()[:MOST_SHOWN]})
