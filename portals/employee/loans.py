"""How the bank's loans stand: by how late they are, and which are late the longest."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.access_log import note_accounts_viewed
from core import clock
from loans.standing import Bucket
from portals.customer.page import person
from portals.employee.page import staff_page
from portals.reports.loans_at_risk import late_loans

MOST: Final = 100


@require_safe
@staff_page
def loans(request: HttpRequest) -> HttpResponse:
    """Show how many loans are how late, and those that are late the longest."""
    asked = request.GET.get("bucket", "")
    bucket = asked if asked in set(Bucket) else ""
    found = late_loans(clock.bank_day(clock.now()), bucket=bucket, most=MOST)
    numbers = {one.loan.account for one in found.late}
    if numbers:
        note_accounts_viewed(viewer=person(request).pk, numbers=numbers, what="list of loans")
    context = {"found": found, "bucket": bucket, "most": MOST}
    return render(request, "employee/loans.html", context)
