"""Transfers that a customer left with the bank: how far each is, and cancelling one."""

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core import clock
from portals.customer.page import customer_page, person
from transactions.payments.scheduling import NotCancellable, cancel_transfer
from transactions.payments.showing import scheduled_shown

MOST_SHOWN: Final = 50


@require_safe
@customer_page
def scheduled(request: HttpRequest) -> HttpResponse:
    """Show the newest of the person's scheduled transfers."""
    found = scheduled_shown(person(request).pk, limit=MOST_SHOWN, now=clock.now())
    return render(request, "customer/scheduled.html", {"transfers": found})


@require_POST
@customer_page
def cancel(request: HttpRequest, scheduled_id: int) -> HttpResponse:
    """Cancel one that is waiting, and go back to the list."""
    try:
        cancel_transfer(person(request).pk, scheduled=scheduled_id)
    except NotCancellable as error:
        messages.error(request, error.message)
    else:
        messages.info(request, _("The transfer is cancelled. Nothing was sent."))
    return redirect("scheduled")
