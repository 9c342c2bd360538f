"""Standing orders: given in three steps (form, check, done), looked at, and changed."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.step_up import StepUpRequired, WrongStepUpCode
from core import clock
from core.cursors import InvalidCursor, cursor_for, read_cursor
from core.db.keyset import position
from core.errors import DomainError
from portals.customer.drafts import draft, keep_draft, kept_over_log_in
from portals.customer.entering import FIND, form_sent, form_to_fill
from portals.customer.page import NOT_FOUND, REFUSED, caller, customer_page, person
from portals.customer.standing_order_form import StandingOrderForm, rules_in_words
from portals.step_up import CodeField, code_field, typed_step_up
from transactions.payments.models import StandingOrder
from transactions.payments.showing import OrderCheck, check_order, order_page, orders_shown
from transactions.payments.standing_orders import (
    cancel_standing_order,
    create_standing_order,
    pause_standing_order,
    resume_standing_order,
    skip_date,
)

PAGE: Final = 20


@require_safe
@customer_page
def standing_orders(request: HttpRequest) -> HttpResponse:
    """Show the person's standing orders, newest first."""
    user = person(request).pk
    listing = f"standing orders of {user}"
    found = orders_shown(user, after=_after(request, listing), limit=PAGE + 1)
    shown = found[:PAGE]
    last = shown[-1].order if len(found) > PAGE else None
    context = {
        "orders": shown,
        "older": last and cursor_for(listing, position(last, by="created_at")),
        "is_newest": "before" not in request.GET,
    }
    return render(request, "customer/standing_orders.html", context)


@require_safe
@customer_page
def standing_order(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Show a standing order, its next dates, and what became of those that came."""
    listing = f"payments of {order_id}"
    page = order_page(
        person(request).pk, order=order_id, after=_after(request, listing), limit=PAGE + 1
    )
    payments = page.payments[:PAGE]
    last = payments[-1] if len(page.payments) > PAGE else None
    context = {
        "shown": page.shown,
        "order": page.shown.order,
        "rules": rules_in_words(page.shown.schedule),
        "payments": payments,
        "older": last and cursor_for(listing, position(last, by="queued_at")),
        "is_newest": "before" not in request.GET,
    }
    return render(request, "customer/standing_order.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@kept_over_log_in(back=lambda token: f"{reverse('standing-order-new')}?draft={token}")
@customer_page
def enter(request: HttpRequest) -> HttpResponse:
    """Take what to pay again and again; it is checked before the next step."""
    if request.method != "POST":
        kept = draft(request, token=request.GET.get("draft", ""))
        wished = kept or _wished(request)
        return _form_page(request, form_to_fill(request, StandingOrderForm, wished))
    typed = request.POST.dict()
    if FIND in typed:
        return _form_page(request, form_to_fill(request, StandingOrderForm, typed))
    form = form_sent(request, StandingOrderForm, typed)
    if not form.is_valid():
        return _form_page(request, form, status=REFUSED)
    try:
        check_order(form.request(caller(request)), now=clock.now())
    except DomainError as error:
        return _refused(request, form, error)
    keep_draft(request, token=form.token_text, entries=form.entries())
    return redirect("standing-order-check", token=form.token_text)


@require_http_methods(["GET", "HEAD", "POST"])
@kept_over_log_in(back=lambda token: reverse("standing-order-check", args=[token]))
@customer_page
def check(request: HttpRequest, token: UUID) -> HttpResponse:
    """Show what would be paid when; once that is confirmed, give the order, once for each form."""
    form = _kept_form(request, token)
    if form is None:
        messages.info(request, _("This form is gone, and no standing order was given just now."))
        return redirect("standing-order-new")
    try:
        checked = check_order(form.request(caller(request)), now=clock.now())
        if request.method == "POST" or checked.given:
            return _given(request, form)
    except (StepUpRequired, WrongStepUpCode) as error:
        return _check_page(request, form, checked, code=code_field(request, error))
    except DomainError as error:
        return _refused(request, form, error)
    return _check_page(request, form, checked)


@require_POST
@customer_page
def pause(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Pause a standing order."""
    change = partial(pause_standing_order, person(request).pk, order=order_id)
    return _changed(request, order_id, change, _("Paused. Nothing is paid until you resume it."))


@require_POST
@customer_page
def resume(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Go on with a standing order."""
    change = partial(resume_standing_order, person(request).pk, order=order_id, now=clock.now())
    return _changed(request, order_id, change, _("It goes on. Dates that passed are not paid."))


@require_POST
@customer_page
def skip(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """Leave out the next date."""
    day = _date_of(request.POST.get("date", ""))
    change = partial(skip_date, person(request).pk, order=order_id, day=day, now=clock.now())
    return _changed(request, order_id, change, _("This date is left out."))


@require_POST
@customer_page
def cancel(request: HttpRequest, order_id: UUID) -> HttpResponse:
    """End a standing order for good."""
    change = partial(cancel_standing_order, person(request).pk, order=order_id)
    return _changed(request, order_id, change, _("Cancelled. Nothing more is paid."))


CHANGES: Final = {"pause": pause, "resume": resume, "skip": skip, "cancel": cancel}
"""The views that change a standing order, by what they are called in addresses."""


def _changed(
    request: HttpRequest, order_id: UUID, change: Callable[[], StandingOrder], words: str
) -> HttpResponse:
    """Change a standing order, say so or why not, and go back to it.

    Raises:
        UnknownStandingOrder
    """
    try:
        change()
    except DomainError as error:
        if error.http_status == NOT_FOUND:
            raise
        messages.error(request, error.message)
    else:
        messages.success(request, words)
    return redirect("standing-order", order_id=order_id)


def _wished(request: HttpRequest) -> dict[str, str]:
    """Return what an address that leads here asks for: a payee, or an account and what it needs."""
    named = ("credit_account", "amount", "first_date")
    return {
        "payee": request.GET.get("to", ""),
        **{name: request.GET[name] for name in named if name in request.GET},
    }


def _date_of(text: str) -> date:
    """Read a date; what is none is before all dates of standing orders, and so not the next one."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min


def _given(request: HttpRequest, form: StandingOrderForm) -> HttpResponse:
    """Give the order and go to it.

    Raises:
        StepUpRequired, WrongStepUpCode, and what refuses it
    """
    asked = form.request(caller(request))
    step_up = typed_step_up(request, what=asked)
    order, is_new = create_standing_order(asked, step_up=step_up, now=clock.now())
    if is_new:
        messages.success(request, _("The standing order is given."))
    else:
        messages.info(request, _("This was given before. It has not been given again."))
    return redirect("standing-order", order_id=order.pk)


def _refused(request: HttpRequest, form: StandingOrderForm, error: DomainError) -> HttpResponse:
    form.refuse(error)
    return _form_page(request, form, status=error.http_status)


def _kept_form(request: HttpRequest, token: UUID) -> StandingOrderForm | None:
    """Return the form of an earlier step; None when it is gone or no longer right."""
    form = form_sent(request, StandingOrderForm, draft(request, token=str(token)) or {})
    return form if form.is_valid() else None


def _form_page(request: HttpRequest, form: StandingOrderForm, status: int = 200) -> HttpResponse:
    return render(request, "customer/standing_order_form.html", {"form": form}, status=status)


def _check_page(
    request: HttpRequest,
    form: StandingOrderForm,
    checked: OrderCheck,
    *,
    code: CodeField | None = None,
) -> HttpResponse:
    """Show what would be paid when; with ``code``, a code is asked for."""
    context = {
        "form": form,
        "token": form.token_text,
        "entries": form.entries(),
        "asked": form.request(caller(request)),
        "check": checked,
        "rules": rules_in_words(form.schedule()),
        "code_field": code,
    }
    status = REFUSED if code else 200
    return render(request, "customer/standing_order_check.html", context, status=status)


def _after(request: HttpRequest, listing: str) -> list[str] | None:
    """Return the position after which a listing goes on."""
    cursor = request.GET.get("before")
    try:
        return read_cursor(cursor, listing=listing) if cursor else None
    except InvalidCursor as error:
        raise Http404 from error
