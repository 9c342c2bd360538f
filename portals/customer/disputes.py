"""Movements that a customer says are wrong: saying so, and what came of it."""

from typing import Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.reasons import LONGEST_REASON
from core import clock
from core.cursors import InvalidCursor, cursor_for, read_cursor
from core.db.keyset import position
from core.errors import DomainError
from portals.customer.page import REFUSED, caller, customer_page, person
from transactions.branches.asking import ask_head_office_itself
from transactions.disputes.models import DisputeReason
from transactions.disputes.opening import DAYS, open_dispute
from transactions.disputes.selectors import disputes_of, with_movements
from transactions.selectors import transfer_of

_PAGE: Final = 25
_LISTING: Final = "disputes"


class DisputeForm(forms.Form):
    """What is wrong with a movement."""

    reason = forms.ChoiceField(
        label=gettext_lazy("What is wrong?"),
        choices=[("", "—"), *DisputeReason.choices],
        error_messages={"required": gettext_lazy("Choose what is wrong.")},
    )
    words = forms.CharField(
        label=gettext_lazy("In your words"),
        required=False,
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("What the bank should know. It may stay empty."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def dispute(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Ask what is wrong with a movement, open a case, and go back to the movement."""
    transfer = transfer_of(person(request).pk, transfer_id=transfer_id)
    form = DisputeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _is_opened(request, transfer_id, form):
        return redirect("receipt", transfer_id=transfer_id)
    context = {"form": form, "transfer": transfer, "days": DAYS}
    status = REFUSED if form.errors else 200
    return render(request, "customer/dispute_form.html", context, status=status)


@require_safe
@customer_page
def disputes(request: HttpRequest) -> HttpResponse:
    """Show the disputes about the person's accounts, the latest first."""
    cursor = request.GET.get("before")
    try:
        after = read_cursor(cursor, listing=_LISTING) if cursor else None
    except InvalidCursor as error:
        raise Http404 from error
    found = ask_head_office_itself(
        lambda node: disputes_of(person(request).pk, after=after, limit=_PAGE + 1, using=node)
    )
    shown = (found or [])[:_PAGE]
    last = shown[-1] if len(found or []) > _PAGE else None
    context = {
        "disputes": with_movements(shown),
        "older": last and cursor_for(_LISTING, position(last, by="opened_at")),
        "is_newest": after is None,
        "days": DAYS,
    }
    return render(request, "customer/disputes.html", context)


def _is_opened(request: HttpRequest, transfer_id: UUID, form: DisputeForm) -> bool:
    """Open a case and say so; False when the form is to be corrected."""
    asked = form.cleaned_data
    try:
        case, _is_new = open_dispute(
            caller(request),
            transfer_id=transfer_id,
            reason=DisputeReason(asked["reason"]),
            words=asked["words"],
            now=clock.now(),
        )
    except DomainError as error:
        field = error.field if error.field in form.fields else None
        form.add_error(field, ValidationError(error.message, code=error.code))
        return False
    told = {"number": case.pk}
    messages.success(request, _("The bank looks into it: your case has number %(number)s.") % told)
    return True
