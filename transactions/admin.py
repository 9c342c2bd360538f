"""Desks in the Django admin: tellers book cash, and admins change customers' accounts."""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts.access_log import note_accounts_viewed
from accounts.admin.callers import caller_in_admin
from accounts.admin.readonly import ReadOnlyAdmin
from core import clock
from core.errors import DomainError
from transactions.calendars import admin as calendars
from transactions.card_payments import admin as card_payments
from transactions.cash import deposit_cash, fill_with_cash, withdraw_cash
from transactions.closing import admin as closing
from transactions.counter import BookingForm, FillingForm
from transactions.desk_forms import DeskForm
from transactions.disputes import admin as disputes
from transactions.fraud import admin as fraud
from transactions.permissions import AccountDesk, CashDesk
from transactions.products import admin as products
from transactions.services import Receipt

__all__ = [
    "AccountDeskAdmin",
    "CashDeskAdmin",
    "calendars",
    "card_payments",
    "closing",
    "disputes",
    "fraud",
    "products",
]

BOOK: Final = "transactions.book_cash"
FILL: Final = "transactions.fill_with_cash"
GOVERN: Final = "transactions.govern_account"
_SERVICES: Final = {"deposit": deposit_cash, "withdrawal": withdraw_cash}
_FILL: Final = "filling"
_BUTTONS: Final = (*_SERVICES, _FILL)


class DeskAdmin(ReadOnlyAdmin):
    """One page of forms, where the admin has the list of a model: there is no table."""

    permissions: ClassVar[tuple[str, ...]]

    def page(self, request: HttpRequest) -> HttpResponse:
        """Show the forms, and do what one asks for."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        """Return the address of the page."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_changelist"
        return [path("", self.admin_site.admin_view(self.page), name=name)]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the page to those who may do something on it."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002  # Django passes it
        """Let those in who may do something here."""
        return any(request.user.has_perm(permission) for permission in self.permissions)

    def shown(
        self, request: HttpRequest, template: str, *, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """Return the page with what a template needs besides."""
        known = {
            **self.admin_site.each_context(request),
            "title": capfirst(self.opts.verbose_name),
            "opts": self.opts,
        }
        return TemplateResponse(request, template, {**known, **context}, status=status)


@admin.register(CashDesk)
class CashDeskAdmin(DeskAdmin):
    """Cash of customers, and cash from the vault."""

    permissions = (BOOK, FILL)

    def page(self, request: HttpRequest) -> HttpResponse:
        """Book what is asked for, by the button that was pressed; else show the forms."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        what = next((name for name in _BUTTONS if name in request.POST), None)
        booking, filling = BookingForm(prefix="booking"), FillingForm(prefix="filling")
        if what in _SERVICES:
            booking = BookingForm(request.POST, prefix="booking")
            if _is_done(request, booking, BOOK, lambda: _book(request, booking, what)):
                return redirect(request.path)
        elif what == _FILL:
            filling = FillingForm(request.POST, prefix="filling")
            if _is_done(request, filling, FILL, lambda: _fill(request, filling)):
                return redirect(request.path)
        return self.shown(
            request,
            "admin/cash_desk.html",
            status=422 if booking.errors or filling.errors else 200,
            booking=booking if request.user.has_perm(BOOK) else None,
            filling=filling if request.user.has_perm(FILL) else None,
        )


@admin.register(AccountDesk)
class AccountDeskAdmin(DeskAdmin):
    """Changes of customers' accounts."""

    permissions = (GOVERN,)

    def page(self, request: HttpRequest) -> HttpResponse:
        """Do what the form asks for, or show it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = DeskForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                approval = form.carry_out(admin=caller_in_admin(request))
            except DomainError as error:
                form.refuse(error)
            else:
                waits = _("A second admin must approve it: request %d.")
                done = _("Done.") if approval is None else waits % approval.pk
                messages.success(request, done)
                return redirect(request.path)
        status = 422 if form.errors else 200
        return self.shown(request, "admin/account_desk.html", status=status, form=form)


def _is_done(
    request: HttpRequest,
    form: BookingForm | FillingForm,
    permission: str,
    book: Callable[[], Receipt],
) -> bool:
    """Book a form's wish and say so; False when it is to be corrected.

    Raises:
        PermissionDenied: the person may not.
    """
    if not request.user.has_perm(permission):
        raise PermissionDenied
    if not form.is_valid():
        return False
    try:
        receipt = book()
    except DomainError as error:
        form.refuse(error)
        return False
    words = _("Booked before, and not again.") if receipt.replayed else _("Booked.")
    messages.success(request, f"{words} {form.cleaned_data['amount']}, {receipt.transfer_id}")
    return True


def _book(request: HttpRequest, form: BookingForm, what: str) -> Receipt:
    asked = form.request(teller=_teller(request))
    note_accounts_viewed(viewer=asked.user, numbers=[asked.account], what="cash desk")
    return _SERVICES[what](asked, now=clock.now())


def _fill(request: HttpRequest, form: FillingForm) -> Receipt:
    return fill_with_cash(form.filling(teller=_teller(request)), now=clock.now())


def _teller(request: HttpRequest) -> int:
    return int(request.user.pk)  # type: ignore[arg-type]  # nobody without an id gets here
