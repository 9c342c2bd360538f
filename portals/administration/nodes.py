"""The nodes: what answers, at which release, and what is left to do."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Branch
from core import clock
from portals.administration.page import admin_page, shown
from transactions.branches.health import look_at_nodes

_LIVE_SECONDS: Final = "5"


@require_safe
@admin_page()
def node_panel(request: HttpRequest) -> HttpResponse:
    """Show the nodes; with ``live`` the page shows itself anew every few seconds."""
    names = dict(Branch.objects.values_list("code", "name"))
    is_live = "live" in request.GET
    answer = shown(
        request,
        "nodes",
        _("Nodes"),
        nodes=[(one, names.get(one.code, "")) for one in look_at_nodes()],
        is_live=is_live,
        looked_at=clock.now(),
    )
    if is_live:
        # Asked for by the reader, and without a script.
        answer["Refresh"] = _LIVE_SECONDS
    return answer
