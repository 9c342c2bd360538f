"""Branches, each with its accounts, cash, day, node and staff."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.selectors import UnknownBranch
from core import clock
from portals.employee.page import staff_page
from transactions.enquiries.branches import all_branches, branch_enquiry


@require_safe
@staff_page
def branches(request: HttpRequest) -> HttpResponse:
    """Show all branches."""
    return render(request, "employee/branches.html", {"branches": all_branches()})


@require_safe
@staff_page
def branch(request: HttpRequest, code: str) -> HttpResponse:
    """Show how one branch stands."""
    try:
        found = branch_enquiry(code, now=clock.now())
    except UnknownBranch as error:
        raise Http404 from error
    return render(request, "employee/branch.html", {"found": found})
