"""What admins asked for and decided, to read."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access_log import note_accounts_viewed, note_all_viewed, note_requests_viewed
from accounts.approvals import approvals as approvals_listed
from accounts.models import ApprovalState, Role
from portals.customer.page import person
from portals.employee.page import staff_page
from portals.employee.paging import address_of, newest_address, place_asked
from transactions.branches.asking import ask_head_office
from transactions.enquiries.requests import request_enquiry

PAGE: Final = 25


@require_safe
@staff_page
def approvals(request: HttpRequest) -> HttpResponse:
    """Show requests newest first, all of them or those in a state."""
    state = request.GET.get("state", "")
    known = state if state in ApprovalState.values else None
    listing = f"requests {known}"
    after = place_asked(request, listing=listing)
    before = None if after is None else int(after[0])
    found = ask_head_office(
        lambda source: approvals_listed(state=known, before=before, limit=PAGE + 1, using=source)
    )
    shown = list(found or [])[:PAGE]
    # The list names nobody else.
    customers = {one.maker_id for one in shown if one.maker.role == Role.CUSTOMER}
    note_all_viewed(viewer=person(request).pk, subjects=customers, what="list of requests")
    last = [shown[-1].pk] if len(found or []) > PAGE else None
    context: dict[str, Any] = {
        "approvals": shown,
        "states": ApprovalState.choices,
        "state": known,
        "newest": newest_address(request),
        "older": address_of(request, after=last, listing=listing),
    }
    return render(request, "employee/approvals.html", context)


@require_safe
@staff_page
def approval(request: HttpRequest, approval_id: int) -> HttpResponse:
    """Show one request: what, why, who asked, who decided, what came of it."""
    found = request_enquiry(approval_id)
    viewer = person(request).pk
    note_requests_viewed([found.approval], viewer=viewer, what="request")
    # Those of a transfer that is to be reversed, too.
    note_accounts_viewed(viewer=viewer, numbers=found.accounts, what="request")
    context = {"approval": found.approval, "facts": found.facts}
    return render(request, "employee/approval.html", context)
