"""Payees: looked for, added with a code, named, removed."""

from typing import Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.numbers import parse_account_number
from accounts.step_up import StepUpRequired, WrongStepUpCode
from core import clock
from core.cursors import InvalidCursor, cursor_for, read_cursor
from core.db.keyset import position
from core.errors import DomainError
from portals.customer.page import REFUSED, caller, customer_page, person
from portals.step_up import CodeField, code_field, typed_step_up
from transactions.payments.payees import (
    PayeeToAdd,
    add_payee,
    payee_of_person,
    payee_to_add,
    payees_shown,
    remove_payee,
    rename_payee,
)

PAGE: Final = 25
_LONGEST_SEARCH: Final = 60


class NicknameForm(forms.Form):
    """What a person calls a payee."""

    nickname = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("What you call them. Up to 40 characters."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Give the payee a name.")},
    )

    def refuse(self, error: DomainError) -> None:
        """Show why the bank refused, beside the field at fault."""
        field = {"credit_account": "account"}.get(error.field or "", error.field)
        place = field if field in self.fields else None
        self.add_error(place, ValidationError(error.message, code=error.code))


class PayeeForm(NicknameForm):
    """An account to save as a payee."""

    account = forms.CharField(
        label=gettext_lazy("Account number"),
        help_text=gettext_lazy("12 digits, with or without spaces."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Enter the account number.")},
    )
    field_order = ("account", "nickname")

    def clean_account(self) -> int:
        """Read the account number."""
        try:
            return parse_account_number(self.cleaned_data["account"])
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error


@require_safe
@customer_page
def payees(request: HttpRequest) -> HttpResponse:
    """Show the person's payees, newest first, or those that are looked for."""
    user, text = person(request).pk, request.GET.get("q", "").strip()[:_LONGEST_SEARCH]
    listing = f"payees of {user} {text}"
    cursor = request.GET.get("before")
    try:
        after = read_cursor(cursor, listing=listing) if cursor else None
    except InvalidCursor as error:
        raise Http404 from error
    found = payees_shown(user, after=after, limit=PAGE + 1, text=text, now=clock.now())
    shown = found[:PAGE]
    last = shown[-1].payee if len(found) > PAGE else None
    context = {
        "payees": shown,
        "text": text,
        "older": last and cursor_for(listing, position(last, by="added_at")),
        "is_newest": after is None,
    }
    return render(request, "customer/payees.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def add(request: HttpRequest) -> HttpResponse:
    """Show whose an account is, and save it as a payee once that is confirmed with a code."""
    if request.method != "POST":
        return _add_page(request, PayeeForm(initial={"account": request.GET.get("account", "")}))
    form = PayeeForm(request.POST)
    if not form.is_valid():
        return _add_page(request, form, status=REFUSED)
    try:
        to_add = payee_to_add(person(request).pk, **form.cleaned_data)
        if "confirmed" not in request.POST:
            return _check_page(request, form, to_add)
        return _added(request, form)
    except (StepUpRequired, WrongStepUpCode) as error:
        return _check_page(request, form, to_add, code=code_field(request, error))
    except DomainError as error:
        form.refuse(error)
        return _add_page(request, form, status=error.http_status)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def rename(request: HttpRequest, payee_id: UUID) -> HttpResponse:
    """Give a payee another name."""
    user = person(request).pk
    payee = payee_of_person(user, payee=payee_id)
    form = NicknameForm(request.POST or None, initial={"nickname": payee.nickname})
    if form.is_bound and form.is_valid():
        try:
            rename_payee(user, payee=payee_id, nickname=form.cleaned_data["nickname"])
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("The payee has a new name."))
            return redirect("payees")
    context = {"form": form, "payee": payee}
    status = REFUSED if form.errors else 200
    return render(request, "customer/payee_name.html", context, status=status)


@require_POST
@customer_page
def remove(request: HttpRequest, payee_id: UUID) -> HttpResponse:
    """Forget a payee."""
    remove_payee(person(request).pk, payee=payee_id)
    messages.info(request, _("The payee is removed. What you have sent stays as it is."))
    return redirect("payees")


def _added(request: HttpRequest, form: PayeeForm) -> HttpResponse:
    """Save the payee and go to the list.

    Raises:
        StepUpRequired, WrongStepUpCode, and what refuses it
    """
    step_up = typed_step_up(request, what=sorted(form.cleaned_data.items()))
    add_payee(caller(request), **form.cleaned_data, step_up=step_up, now=clock.now())
    messages.success(request, _("The payee is saved."))
    return redirect("payees")


def _add_page(request: HttpRequest, form: PayeeForm, status: int = 200) -> HttpResponse:
    return render(request, "customer/payee_form.html", {"form": form}, status=status)


def _check_page(
    request: HttpRequest, form: PayeeForm, to_add: PayeeToAdd, *, code: CodeField | None = None
) -> HttpResponse:
    """Show whose the account is; with ``code``, a code is asked for."""
    context = {"form": form, "to_add": to_add, "code_field": code}
    status = REFUSED if code else 200
    return render(request, "customer/payee_check.html", context, status=status)
