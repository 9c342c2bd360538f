"""One movement of a customer's money: both parties, where it stands, and what it was for."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from core import clock
from portals.customer.page import customer_page, person
from transactions.disputes.opening import disputes_of_movement
from transactions.statements.categories import UnknownCategory, choose_category, movement_of
from transactions.statements.models import Category


@require_safe
@customer_page
def receipt(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Show a transfer from or to one of the person's accounts."""
    me = person(request).pk
    movement = movement_of(me, transfer_id=transfer_id)
    context = {
        "movement": movement,
        "transfer": movement.transfer,
        "categories": Category.choices,
        "disputed": disputes_of_movement(me, transfer=movement.transfer, now=clock.now()),
    }
    return render(request, "customer/receipt.html", context)


@require_POST
@customer_page
def category(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Put a transfer into the category that was chosen, and go back to it."""
    chosen = request.POST.get("category", "")
    try:
        choose_category(
            person(request).pk, transfer_id=transfer_id, category=chosen, now=clock.now()
        )
    except UnknownCategory as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Changed."))
    return redirect("receipt", transfer_id=transfer_id)
