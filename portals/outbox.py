"""The demo's outbox: mails and messages that a real bank would have sent."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core.client_address import client_address
from core.plaintext import is_here
from notifications.outbox import messages

MOST_SHOWN = 50


def is_shown_to(request: HttpRequest) -> bool:
    """Tell whether the outbox is: in a demo, on its own machine.

    Who reads it resets anybody's password by the link in a mail to them.
    """
    return settings.BANK_DEMO and is_here(client_address(request))


@require_safe
@never_cache
def outbox(request: HttpRequest) -> HttpResponse:
    """Show the newest messages, so that their links can be followed."""
    if not is_shown_to(request):
        raise Http404
    return render(request, "outbox.html", {"sent": messages()[:MOST_SHOWN]})
