"""The first page of the Django admin: the bank at a glance, for who may see what."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest

from accounts.approvals import waiting_for
from accounts.log_in_statistics import log_ins_since
from accounts.models import Approval, ApprovalState, Branch
from core import clock
from portals.administration.log_ins import SEE_LOG_INS
from portals.customer.page import person
from transactions.branches.health import look_at_nodes
from transactions.closing.models import BankDay
from transactions.disputes.selectors import disputes_waiting
from transactions.figures import figures_of_nodes, total_volumes
from transactions.fraud.queue import alerts_waiting

_SEE_APPROVALS: Final = "accounts.view_approval"
_SEE_ALERTS: Final = "transactions.view_fraudalert"
_SEE_DISPUTES: Final = "transactions.view_dispute"
_SHOWN: Final = 5


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the page's context with what the person may see; Unfold asks for it."""
    today = clock.bank_day(clock.now())
    day, month = clock.start_of(today), clock.start_of(today.replace(day=1))
    figures = figures_of_nodes(day=day, month=month)
    health = look_at_nodes()
    names = dict(Branch.objects.values_list("code", "name"))
    return {
        **context,
        "figures": [(one, names.get(one.node, "")) for one in figures],
        "volumes": total_volumes(figures),
        "uncounted": [one.node for one in figures if one.volumes is None],
        "nodes": health,
        "nodes_up": sum(one.is_up for one in health),
        "last_day": _last_day(),
        "log_ins": _if_allowed(request, SEE_LOG_INS, lambda: log_ins_since(day)),
        "log_ins_of_month": _if_allowed(request, SEE_LOG_INS, lambda: log_ins_since(month)),
        "alerts": _if_allowed(request, _SEE_ALERTS, alerts_waiting),
        "disputes": _if_allowed(request, _SEE_DISPUTES, disputes_waiting),
        "approvals": _if_allowed(request, _SEE_APPROVALS, lambda: _approvals(person(request).pk)),
    }


def _approvals(me: int) -> dict[str, Any]:
    """Return the requests that wait: how many, how many of them for somebody else's decision."""
    others = waiting_for(me)
    return {
        "others": others.count(),
        "mine": Approval.objects.filter(state=ApprovalState.WAITING, maker=me).count(),
        "first": others.select_related("maker")[:_SHOWN],
    }


def _last_day() -> BankDay | None:
    return BankDay.objects.filter(closed_at__isnull=False).first()


def _if_allowed(request: HttpRequest, permission: str, read: Callable[[], Any]) -> Any:
    return read() if request.user.has_perm(permission) else None
