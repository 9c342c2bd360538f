"""Sending money, in three steps: form, check, receipt.

Each step ends in a redirect, so that going back and reloading never sends a form again; and if one
were sent again, its token lets it move money once.
"""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.step_up import StepUpRequired, WrongStepUpCode
from core import clock
from core.errors import DomainError
from portals.customer.drafts import draft, drop_draft, keep_draft, kept_over_log_in
from portals.customer.entering import FIND, form_sent, form_to_fill
from portals.customer.forms import TransferForm
from portals.customer.page import REFUSED, caller, customer_page, person
from portals.step_up import CodeField, code_field, typed_step_up
from transactions.branches.outcomes import BranchDown
from transactions.payments.checking import TransferCheck, check_transfer
from transactions.payments.later import leave_for_day
from transactions.payments.models import ScheduledTransfer
from transactions.payments.scheduling import transfer_or_leave_as
from transactions.services import Receipt, transfer_as


@require_http_methods(["GET", "HEAD", "POST"])
@kept_over_log_in(back=lambda token: f"{reverse('transfer-new')}?draft={token}")
@customer_page
def enter(request: HttpRequest) -> HttpResponse:
    """Take what to send; it is checked as sending does before the next step."""
    if request.method != "POST":
        wished = draft(request, token=request.GET.get("draft", "")) or _wished(request)
        return _form_page(request, form_to_fill(request, TransferForm, wished))
    typed = request.POST.dict()
    if FIND in typed:
        return _form_page(request, form_to_fill(request, TransferForm, typed))
    form = form_sent(request, TransferForm, typed)
    if not form.is_valid():
        return _form_page(request, form, status=REFUSED)
    if not form.is_repeating:
        try:
            _check(request, form)
        except DomainError as error:
            return _refused(request, form, error)
    keep_draft(request, token=form.token_text, entries=form.entries())
    if form.is_repeating:
        return redirect(f"{reverse('standing-order-new')}?draft={form.token_text}")
    return redirect("transfer-check", token=form.token_text)


@require_safe
@customer_page
def check(request: HttpRequest, token: UUID) -> HttpResponse:
    """Show what would be sent."""
    form = _kept_form(request, str(token))
    if form is None:
        return _start_again(request)
    try:
        checked = _check(request, form)
    except DomainError as error:
        return _refused(request, form, error)
    if checked.sent or checked.left:
        return _done(request, form, checked.sent or checked.left)
    return _check_page(request, form, checked)


@require_POST
@kept_over_log_in(back=lambda token: reverse("transfer-check", args=[token]))
@customer_page
def send(request: HttpRequest, token: UUID) -> HttpResponse:
    """Send the money, once for each form, and go to the receipt; or leave it with the bank."""
    form = _kept_form(request, str(token))
    if form is None:
        return _start_again(request)
    try:
        return _done(request, form, _send(request, form))
    except (StepUpRequired, WrongStepUpCode) as error:
        return _check_again(request, form, status=REFUSED, code=code_field(request, error))
    except BranchDown as error:
        return _check_again(request, form, status=error.http_status)
    except DomainError as error:
        return _refused(request, form, error)


def _send(request: HttpRequest, form: TransferForm) -> Receipt | ScheduledTransfer:
    asked, who, now = form.request(user=person(request).pk), caller(request), clock.now()
    day = form.cleaned_data["day"]
    step_up = partial(typed_step_up, request, what=(asked, day))
    if day is not None:
        return leave_for_day(who, asked, day=day, step_up=step_up, now=now)
    transfer = transfer_or_leave_as if "when_back" in request.POST else transfer_as
    return transfer(who, asked, step_up=step_up, now=now)


def _check(request: HttpRequest, form: TransferForm) -> TransferCheck:
    asked = form.request(user=person(request).pk)
    return check_transfer(caller(request), asked, day=form.cleaned_data["day"], now=clock.now())


def _wished(request: HttpRequest) -> dict[str, str]:
    """Return what the address says of a new form."""
    return {
        "debit_account": request.GET.get("from", ""),
        "payee": request.GET.get("to", ""),
    }


def _kept_form(request: HttpRequest, token: str) -> TransferForm | None:
    """Return the form of an earlier step; None when it is gone or no longer right."""
    form = form_sent(request, TransferForm, draft(request, token=token) or {})
    return form if form.is_valid() else None


def _check_again(
    request: HttpRequest, form: TransferForm, *, status: int, code: CodeField | None = None
) -> HttpResponse:
    """Show what would be sent once more; nothing was sent."""
    try:
        return _check_page(request, form, _check(request, form), code=code, status=status)
    except DomainError as error:
        return _refused(request, form, error)


def _check_page(
    request: HttpRequest,
    form: TransferForm,
    checked: TransferCheck,
    *,
    code: CodeField | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show what would be sent: now, on a day, or where a branch is down when it is back.

    With ``code``, a code is asked for, whichever of these was.
    """
    context = {
        "form": form,
        "token": form.token_text,
        "entries": form.entries(),
        "asked": form.request(user=person(request).pk),
        "day": form.cleaned_data["day"],
        "check": checked,
        "when_back": "when_back" in request.POST,
        "code_field": code,
    }
    return render(request, "customer/transfer_check.html", context, status=status)


def _done(
    request: HttpRequest, form: TransferForm, sent: Receipt | ScheduledTransfer | None
) -> HttpResponse:
    """Go to the receipt of what was sent, or say of a transfer that it was left with the bank."""
    if isinstance(sent, Receipt):
        if sent.replayed:
            messages.info(request, _("This was sent before. It has not been sent again."))
        return redirect("receipt", transfer_id=sent.transfer_id)
    if form.cleaned_data["day"]:
        messages.success(request, _("The transfer waits with us until its day."))
    else:
        drop_draft(request, token=form.token_text)
        messages.info(request, _("The transfer waits with us. It is sent when the branch is back."))
    return redirect("scheduled")


def _refused(request: HttpRequest, form: TransferForm, error: DomainError) -> HttpResponse:
    form.refuse(error)
    return _form_page(request, form, status=error.http_status)


def _form_page(request: HttpRequest, form: TransferForm, status: int = 200) -> HttpResponse:
    return render(request, "customer/transfer_form.html", {"form": form}, status=status)


def _start_again(request: HttpRequest) -> HttpResponse:
    messages.info(request, _("This form is gone, and nothing was sent with it just now."))
    return redirect("transfer-new")
