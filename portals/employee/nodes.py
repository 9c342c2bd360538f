"""How the bank's nodes are connected."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Branch
from portals.employee.page import staff_page
from transactions.branches.health import look_at_nodes

LIVE_SECONDS: Final = "5"


@require_safe
@staff_page
def nodes(request: HttpRequest) -> HttpResponse:
    """Show who answers, how soon, and what is in doubt; with ``live`` anew every few seconds."""
    names = dict(Branch.objects.values_list("code", "name"))
    context = {
        "nodes": [(health, names.get(health.code, "")) for health in look_at_nodes()],
        "is_live": "live" in request.GET,
    }
    answer = render(request, "employee/nodes.html", context)
    if context["is_live"]:
        # Asked for by the reader, and without a script.
        answer["Refresh"] = LIVE_SECONDS
    return answer
