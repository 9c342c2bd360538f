"""Fraud alerts, to read: admins decide about them in the administration."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from portals.customer.page import person
from portals.employee.page import staff_page
from portals.employee.paging import address_of, newest_address, place_asked
from transactions.branches.asking import ask_head_office_itself
from transactions.fraud.models import AlertState
from transactions.fraud.queue import LOOKED_AT, alerts, note_alerts_viewed
from transactions.fraud.wording import explanation

PAGE: Final = 25


@require_safe
@staff_page
def fraud_alerts(request: HttpRequest) -> HttpResponse:
    """Show alerts, the latest first, all of them or those in a state."""
    state = request.GET.get("state", "")
    known = state if state in AlertState.values else None
    listing = f"alerts {known}"
    after = place_asked(request, listing=listing)
    found = ask_head_office_itself(
        lambda source: alerts(
            state=known,
            rule=None,
            before=None if after is None else (datetime.fromisoformat(after[0]), UUID(after[1])),
            limit=PAGE + 1,
            using=source,
        )
    )
    shown = list(found or [])[:PAGE]
    note_alerts_viewed(shown, viewer=person(request).pk, what=LOOKED_AT)
    is_more = len(found or []) > PAGE
    last = [shown[-1].raised_at.isoformat(), str(shown[-1].pk)] if is_more else None
    context: dict[str, Any] = {
        "alerts": [(one, explanation(one)) for one in shown],
        "states": AlertState.choices,
        "state": known,
        "newest": newest_address(request),
        "older": address_of(request, after=last, listing=listing),
    }
    return render(request, "employee/fraud_alerts.html", context)
