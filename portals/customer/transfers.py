"""Sending money, in three steps: form, check, receipt.

Each step ends in a redirect, so that going back and reloading never sends a form again; and if one
were sent again, its token lets it move money once.
"""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.step_up import StepUpRequired, WrongStepUpCode
from core import clock
from core.errors import DomainError
from core.money import Money
from portals.customer.drafts import draft, drop_draft, keep_draft
from portals.customer.forms import TransferForm
from portals.customer.page import REFUSED, caller, customer_page, person
from portals.step_up import CodeField, code_field, typed_step_up
from transactions.branches.outcomes import BranchDown
from transactions.parties import payee_of
from transactions.payments.models import ScheduledTransfer
from transactions.payments.scheduling import transfer_or_leave_as
from transactions.selectors import accounts_of, transfer_of
from transactions.services import Receipt, preview_transfer, transfer_as


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def enter(request: HttpRequest) -> HttpResponse:
    """Take what to send; it is checked as sending does before the next step."""
    accounts = accounts_of(person(request).pk)
    if request.method != "POST":
        kept = draft(request, token=request.GET.get("draft", ""))
        initial = kept or {"debit_account": request.GET.get("from", "")}
        form = TransferForm(initial=initial, accounts=accounts)
        return render(request, "customer/transfer_form.html", {"form": form})
    form = TransferForm(request.POST, accounts=accounts)
    if not form.is_valid():
        return _wrong(request, form)
    try:
        _preview(request, form)
    except BranchDown:
        # The next page says so, and offers to send it later.
        pass
    except DomainError as error:
        return _refused(request, form, error)
    keep_draft(request, token=form.token_text, entries=form.entries())
    return redirect("transfer-check", token=form.token_text)


@require_safe
@customer_page
def check(request: HttpRequest, token: UUID) -> HttpResponse:
    """Show what would be sent."""
    form = _kept_form(request, str(token))
    if form is None:
        return _start_again(request)
    try:
        preview = _preview(request, form)
    except BranchDown as error:
        return _check_page(request, form, down=error)
    except DomainError as error:
        return _refused(request, form, error)
    if preview.replayed:
        return _receipt_of(request, preview)
    return _check_page(request, form, preview=preview)


@require_POST
@customer_page
def send(request: HttpRequest, token: UUID) -> HttpResponse:
    """Send the money, once for each form, and go to the receipt; or leave it with the bank."""
    form = _kept_form(request, str(token))
    if form is None:
        return _start_again(request)
    asked = form.request(user=person(request).pk)
    step_up = partial(typed_step_up, request, what=asked)
    transfer = transfer_or_leave_as if "when_back" in request.POST else transfer_as
    try:
        sent = transfer(caller(request), asked, step_up=step_up, now=clock.now())
    except (StepUpRequired, WrongStepUpCode) as error:
        return _check_page(request, form, code=code_field(request, error), status=REFUSED)
    except BranchDown as error:
        return _check_page(request, form, down=error, status=error.http_status)
    except DomainError as error:
        return _refused(request, form, error)
    return (
        _left(request, form) if isinstance(sent, ScheduledTransfer) else _receipt_of(request, sent)
    )


@require_safe
@customer_page
def receipt(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Show a transfer from or to one of the person's accounts."""
    transfer = transfer_of(person(request).pk, transfer_id=transfer_id)
    return render(request, "customer/receipt.html", {"transfer": transfer})


def _preview(request: HttpRequest, form: TransferForm) -> Receipt:
    return preview_transfer(form.request(user=person(request).pk), now=clock.now())


def _kept_form(request: HttpRequest, token: str) -> TransferForm | None:
    """Return the form of an earlier step; None when it is gone or no longer right."""
    kept = draft(request, token=token)
    form = TransferForm(kept, accounts=accounts_of(person(request).pk))
    return form if form.is_valid() else None


def _check_page(
    request: HttpRequest,
    form: TransferForm,
    *,
    preview: Receipt | None = None,
    down: BranchDown | None = None,
    code: CodeField | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show what would be sent: now, or with ``down`` as soon as the branch is back.

    With ``code``, a code is asked for, whichever of the two was.
    """
    asked = form.request(user=person(request).pk)
    after = preview.debit_after if preview else None
    context = {
        "token": form.token_text,
        "asked": asked,
        "payee": payee_of(asked.credit),
        "left": None if after is None else Money(after, asked.amount.currency),
        "down": down,
        "when_back": "when_back" in request.POST,
        "code_field": code,
    }
    return render(request, "customer/transfer_check.html", context, status=status)


def _left(request: HttpRequest, form: TransferForm) -> HttpResponse:
    """Say of a transfer that it was left with the bank."""
    drop_draft(request, token=form.token_text)
    messages.info(request, _("The transfer waits with us. It is sent when the branch is back."))
    return redirect("scheduled")


def _refused(request: HttpRequest, form: TransferForm, error: DomainError) -> HttpResponse:
    form.refuse(error)
    return _wrong(request, form, status=error.http_status)


def _wrong(request: HttpRequest, form: TransferForm, status: int = REFUSED) -> HttpResponse:
    return render(request, "customer/transfer_form.html", {"form": form}, status=status)


def _start_again(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("This form is gone, and nothing was sent with it just now."))
    return redirect("transfer-new")


def _receipt_of(request: HttpRequest, sent: Receipt) -> HttpResponse:
    if sent.replayed:
        messages.info(request, _("This was sent before. It has not been sent again."))
    return redirect("receipt", transfer_id=sent.transfer_id)
