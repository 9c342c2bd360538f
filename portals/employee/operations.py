"""The operation log: look, follow, download. Clearing clears the view; the log stays."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.access_log import note_accounts_viewed
from core import clock
from core.spreadsheets import closed, csv_response
from portals.customer.page import REFUSED, person
from portals.employee.forms import OperationForm
from portals.employee.page import staff_page
from transactions.operations import Operation, all_operations, operations

PAGE: Final = 50
LIVE_SECONDS: Final = "5"
_PIECE: Final = 500
_CLEARED: Final = "operations_cleared_at"
_HEADINGS: Final = (
    "recorded_at", "node", "what", "account", "counterparty", "amount", "currency", "channel",
    "client_user_id", "client_name", "words", "event_at", "details", "id",
)  # fmt: skip


@require_safe
@staff_page
def operation_log(request: HttpRequest) -> HttpResponse:
    """Show a page of the log; with ``live`` it shows itself anew every few seconds."""
    form = OperationForm(request.GET)
    context: dict[str, Any] = {
        "form": form,
        "cleared_at": _cleared_at(request),
        "is_live": "live" in request.GET,
        "query": _query(request),
        "query_live": _query(request, live="1"),
    }
    if not form.is_valid():
        return render(request, "employee/operations.html", context, status=REFUSED)
    before: UUID | None = form.cleaned_data["before"]
    wanted = form.wanted(cleared_at=_cleared_at(request))
    page = operations(wanted, before=before, limit=PAGE)
    _note(page.operations, viewer=person(request).pk)
    older = _query(request, before=str(page.older)) if page.older else None
    context |= {"page": page, "is_newest": before is None, "older": older}
    answer = render(request, "employee/operations.html", context)
    if context["is_live"]:
        # Asked for by the reader, and without a script.
        answer["Refresh"] = LIVE_SECONDS
    return answer


@require_safe
@staff_page
def operation_file(request: HttpRequest) -> HttpResponseBase:
    """Answer with all the rows that the page would show, whatever page it shows."""
    form = OperationForm(request.GET)
    if not form.is_valid():
        return redirect(f"{reverse('operations')}?{_query(request)}")
    found = all_operations(form.wanted(cleared_at=_cleared_at(request)))
    noted = _noted(found, viewer=person(request).pk)
    # The first piece is noted before the answer begins: from then on, nothing can be refused.
    begun = chain(list(islice(noted, 1)), noted)
    return csv_response("operations.csv", closed(_rows(begun)))


@require_POST
@staff_page
def clear(request: HttpRequest) -> HttpResponse:
    """Show from now on what comes from now on; with ``all``, everything again."""
    if "all" in request.POST:
        request.session.pop(_CLEARED, None)
    else:
        request.session[_CLEARED] = clock.now().isoformat()
    return redirect("operations")


def _cleared_at(request: HttpRequest) -> datetime | None:
    kept = request.session.get(_CLEARED)
    return datetime.fromisoformat(kept) if kept else None


def _query(request: HttpRequest, **more: str) -> str:
    """Return what is looked for as the query of an address, from its newest page on."""
    query = QueryDict(mutable=True)
    asked = {name: request.GET.get(name, "") for name in OperationForm.base_fields}
    query.update({name: text for name, text in asked.items() if text and name != "before"})
    query.update(more)
    return query.urlencode()


def _noted(found: Iterator[Operation], *, viewer: int) -> Iterator[Operation]:
    """Yield operations piece by piece, each piece once it is noted who looks at it."""
    while piece := list(islice(found, _PIECE)):
        _note(piece, viewer=viewer)
        yield from piece


def _note(found: Iterable[Operation], *, viewer: int) -> None:
    numbers = {number for one in found for number in (one.account, one.counterparty) if number}
    note_accounts_viewed(viewer=viewer, numbers=numbers, what="operation log")


def _rows(found: Iterator[Operation]) -> Iterator[list[str]]:
    yield list(_HEADINGS)
    for one in found:
        yield [
            _instant(one.recorded_at),
            one.node,
            one.what,
            str(one.account),
            str(one.counterparty or ""),
            f"{one.amount.decimal:f}" if one.amount else "",
            one.amount.currency if one.amount else "",
            one.channel or "",
            str(one.client_user_id or ""),
            one.client_name,
            one.words,
            _instant(one.event_at) if one.event_at else "",
            json.dumps(one.details, ensure_ascii=False) if one.details else "",
            str(one.operation_id),
        ]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
