"""The one search box of staff."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.access_log import note_all_viewed
from core.errors import DomainError
from portals.customer.page import REFUSED, person
from portals.employee.noting import note_transfers
from portals.employee.page import staff_page
from portals.employee.paging import address_of, newest_address, place_asked
from transactions.enquiries.finding import LONGEST_TEXT, Found, find

PAGE: Final = 25
_LISTING: Final = "people found by "


@require_safe
@staff_page
def search(request: HttpRequest) -> HttpResponse:
    """Open what a text names, or list what fits it. Whoever is listed can see that you looked."""
    text = request.GET.get("q", "").strip()
    context: dict[str, Any] = {"q": text, "longest": LONGEST_TEXT}
    if not text:
        return render(request, "employee/search.html", context)
    listing = f"{_LISTING}{text}"
    after = place_asked(request, listing=listing)
    try:
        found = find(text, after=None if after is None else (after[0], after[1]), limit=PAGE)
    except DomainError as error:
        if error.field != "q":
            raise
        context["problem"] = error.message
        return render(request, "employee/search.html", context, status=REFUSED)
    if (named := _named(found)) is not None:
        return named
    viewer = person(request).pk
    note_all_viewed(viewer=viewer, subjects=[one.pk for one in found.people.people], what="search")
    note_transfers(found.transfers, viewer=viewer, what="search")
    onward = found.people.onward
    context |= {
        "found": found,
        "newest": newest_address(request),
        "older": address_of(request, after=onward and list(onward), listing=listing),
    }
    return render(request, "employee/search.html", context)


def _named(found: Found) -> HttpResponse | None:
    if found.person is not None:
        return redirect("staff-customer", user_id=found.person.number)
    if found.account is not None:
        return redirect("staff-account", number=found.account)
    if found.transfer is not None:
        return redirect("staff-transfer", transfer_id=found.transfer.transfer_id)
    return None
