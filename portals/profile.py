"""What the bank knows of a person, and who of its staff looked at it."""

from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.callers import acting_as
from accounts.selectors import person_known, viewings_of
from accounts.services import change_phone
from core.cursors import InvalidCursor, cursor_for, read_cursor
from core.errors import DomainError
from portals.customer.page import REFUSED, caller, customer_page, person

LOOKS_SHOWN: Final = 25


class PhoneForm(forms.Form):
    """A person's telephone number."""

    phone = forms.CharField(
        label=gettext_lazy("Telephone"),
        required=False,
        help_text=gettext_lazy("With + and the country's code. Empty, we forget it."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def profile(request: HttpRequest) -> HttpResponse:
    """Show what the bank knows, and change the telephone number."""
    known = person_known(person(request).pk)
    form = PhoneForm(request.POST or None, initial={"phone": known.phone})
    if form.is_bound and form.is_valid():
        try:
            with acting_as(caller(request)):
                change_phone(known.pk, phone=form.cleaned_data["phone"])
        except DomainError as error:
            form.add_error("phone", ValidationError(error.message, code=error.code))
        else:
            messages.success(request, _("Changed."))
            return redirect("profile")
    context = {"known": known, "form": form}
    return render(request, "profile/profile.html", context, status=REFUSED if form.errors else 200)


@require_safe
@customer_page
def looks(request: HttpRequest) -> HttpResponse:
    """Show who of the bank's staff looked at the person's data, newest first."""
    pk = person(request).pk
    listing = f"looks of {pk}"
    cursor = request.GET.get("before")
    try:
        before = read_cursor(cursor, listing=listing)[0] if cursor else None
    except InvalidCursor as error:
        raise Http404 from error
    found = viewings_of(pk, before=before, limit=LOOKS_SHOWN + 1)
    shown = found[:LOOKS_SHOWN]
    older = cursor_for(listing, [shown[-1].pk]) if len(found) > LOOKS_SHOWN else None
    return render(request, "profile/looks.html", {"looks": shown, "older": older})
