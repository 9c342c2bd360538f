"""One account, of a customer or the bank, now or as it was."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.access_log import note_accounts_viewed
from core import clock
from core.errors import DomainError
from portals.customer.page import REFUSED, person
from portals.employee.page import staff_page
from portals.employee.paging import address_of, newest_address, place_asked
from transactions.enquiries.accounts import account_enquiry, entries_before

PAGE: Final = 25
_MINUTES: Final = "%Y-%m-%dT%H:%M"
_SECONDS: Final = "%Y-%m-%dT%H:%M:%S"


class AsOfForm(forms.Form):
    """At which instant to look at an account; empty: now."""

    at = forms.DateTimeField(
        label=_("As of"),
        required=False,
        input_formats=[_MINUTES, _SECONDS, "%Y-%m-%d %H:%M"],
        help_text=_("By all that was booked before this instant. Empty: now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MINUTES),
    )

    def clean_at(self) -> datetime | None:
        """Read the instant in the bank's time zone."""
        given: datetime | None = self.cleaned_data["at"]
        try:
            return given and given.astimezone(ZoneInfo(settings.BANK_TIME_ZONE))
        except OverflowError:
            raise ValidationError(_("There is no such day."), code="no_such_day") from None


@require_safe
@staff_page
def account(request: HttpRequest, number: int) -> HttpResponse:
    """Show an account, who holds it and what moved on it; with ``at``, as it was then."""
    form = AsOfForm(request.GET)
    at = form.cleaned_data["at"] if form.is_valid() else None
    note_accounts_viewed(viewer=person(request).pk, numbers=[number], what="account")
    now = clock.now()
    try:
        found = account_enquiry(number, at=at, now=now)
    except DomainError as error:
        if error.field != "at":
            raise
        form.add_error("at", ValidationError(error.message, code=error.code))
        at = None
        found = account_enquiry(number, at=None, now=now)
    listing = f"entries of {number}"
    after = place_asked(request, listing=listing)
    page = entries_before(
        number, until=at, before=None if after is None else UUID(after[0]), limit=PAGE
    )
    context: dict[str, Any] = {
        "form": form,
        "account": found,
        "title": found.identity.called.capitalize() if found.identity else found.party.name,
        "at": at,
        "page": page,
        "newest": newest_address(request),
        "older": address_of(
            request, after=[page.older.hex] if page.older else None, listing=listing
        ),
    }
    status = REFUSED if form.errors else 200
    return render(request, "employee/account.html", context, status=status)
