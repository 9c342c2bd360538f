"""All transfers: look, filter, download."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core.spreadsheets import closed, csv_response
from portals.customer.page import REFUSED, person
from portals.employee.noting import note_transfers, noted_transfers
from portals.employee.page import staff_page
from portals.employee.paging import address_of, newest_address, place_asked, query_of
from portals.employee.transfer_form import TransferSearchForm
from transactions.enquiries.transfers import (
    FoundTransfer,
    all_transfers,
    transfer_known,
    transfers_found,
)

PAGE: Final = 50
_LISTING: Final = "all transfers"
_HEADINGS: Final = (
    "recorded_at", "event_at", "debit_account", "debit_name", "credit_account", "credit_name",
    "amount", "currency", "kind", "channel", "state", "reversed_by", "reverses", "memo",
    "reference", "client_user_id", "client_name", "id",
)  # fmt: skip


@require_safe
@staff_page
def transfers(request: HttpRequest) -> HttpResponse:
    """Show a page of all transfers that fit, newest first."""
    form = TransferSearchForm(request.GET)
    context: dict[str, Any] = {"form": form, "query": query_of(request)}
    if not form.is_valid():
        return render(request, "employee/transfers.html", context, status=REFUSED)
    after = place_asked(request, listing=_LISTING)
    page = transfers_found(
        form.wanted(), before=None if after is None else UUID(after[0]), limit=PAGE
    )
    note_transfers(page.transfers, viewer=person(request).pk, what="list of transfers")
    context |= {
        "page": page,
        "newest": newest_address(request),
        "older": address_of(
            request, after=[page.older.hex] if page.older else None, listing=_LISTING
        ),
    }
    return render(request, "employee/transfers.html", context)


@require_safe
@staff_page
def transfer_file(request: HttpRequest) -> HttpResponseBase:
    """Answer with all transfers that fit, whatever page is shown."""
    form = TransferSearchForm(request.GET)
    if not form.is_valid():
        return redirect(f"{reverse('staff-transfers')}?{query_of(request)}")
    noted = noted_transfers(
        all_transfers(form.wanted()), viewer=person(request).pk, what="list of transfers"
    )
    # The first piece is noted before the answer begins: from then on, nothing can be refused.
    begun = chain(list(islice(noted, 1)), noted)
    return csv_response("transfers.csv", closed(_rows(begun)))


@require_safe
@staff_page
def transfer(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Show one transfer: both sides, how it came, how far it is, and what took it back."""
    found = transfer_known(transfer_id)
    note_transfers([found], viewer=person(request).pk, what="transfer")
    return render(request, "employee/transfer.html", {"transfer": found})


def _rows(found: Iterator[FoundTransfer]) -> Iterator[list[str]]:
    yield list(_HEADINGS)
    for one in found:
        yield [
            _instant(one.recorded_at),
            _instant(one.event_at),
            str(one.debit.number),
            one.debit.name,
            str(one.credit.number),
            one.credit.name,
            f"{one.amount.decimal:f}",
            one.amount.currency,
            one.kind,
            one.channel,
            str(one.state),
            str(one.reversed_by or ""),
            str(one.reverses or ""),
            one.memo,
            one.reference,
            str(one.client_user_id or ""),
            one.client_name,
            str(one.transfer_id),
        ]


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
