"""Sending money, in three steps: form, check, receipt."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import clock
from core.errors import DomainError
from core.money import Money
from portals.customer.forms import TransferForm
from portals.customer.page import customer_page, person
from transactions.selectors import accounts_of, payee_of, transfer_of
from transactions.services import Receipt, TransferRequest, preview_transfer, transfer_funds

REFUSED = 422


@require_safe
@customer_page
def enter(request: HttpRequest) -> HttpResponse:
    """Show the form, empty but for the account it was opened from."""
    form = TransferForm(
        accounts=accounts_of(person(request).pk),
        initial={"debit_account": request.GET.get("from")},
    )
    return render(request, "customer/transfer_form.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def check(request: HttpRequest) -> HttpResponse:
    """Show what would be sent, after the very checks that sending makes."""
    if request.method != "POST":
        return redirect("transfer-new")
    form = _form(request)
    if "change" in request.POST:
        return render(request, "customer/transfer_form.html", {"form": form.reopened()})
    if not form.is_valid():
        return _wrong(request, form)
    asked = form.request(user=person(request).pk)
    try:
        preview = preview_transfer(asked, now=clock.now())
    except DomainError as error:
        return _refused(request, form, error)
    if preview.replayed:
        return _receipt_of(request, preview)
    return render(request, "customer/transfer_check.html", _checked(form, asked, preview))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def send(request: HttpRequest) -> HttpResponse:
    """Send the money, once for each form, and go to the receipt."""
    if request.method != "POST":
        return redirect("transfer-new")
    form = _form(request)
    if not form.is_valid():
        return _wrong(request, form)
    try:
        sent = transfer_funds(form.request(user=person(request).pk), now=clock.now())
    except DomainError as error:
        return _refused(request, form, error)
    return _receipt_of(request, sent)


@require_safe
@customer_page
def receipt(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Show a transfer from or to one of the person's accounts."""
    transfer = transfer_of(person(request).pk, transfer_id=transfer_id)
    return render(request, "customer/receipt.html", {"transfer": transfer})


def _form(request: HttpRequest) -> TransferForm:
    return TransferForm(request.POST, accounts=accounts_of(person(request).pk))


def _checked(form: TransferForm, asked: TransferRequest, preview: Receipt) -> dict[str, Any]:
    after = preview.debit_after
    return {
        "form": form,
        "asked": asked,
        "payee": payee_of(asked.credit),
        "left": None if after is None else Money(after, asked.amount.currency),
    }


def _refused(request: HttpRequest, form: TransferForm, error: DomainError) -> HttpResponse:
    form.refuse(error)
    return _wrong(request, form, status=error.http_status)


def _wrong(request: HttpRequest, form: TransferForm, status: int = REFUSED) -> HttpResponse:
    return render(request, "customer/transfer_form.html", {"form": form}, status=status)


def _receipt_of(request: HttpRequest, sent: Receipt) -> HttpResponse:
    if sent.replayed:
        messages.info(request, _("This was sent before. It has not been sent again."))
    return redirect("receipt", transfer_id=sent.transfer_id)
