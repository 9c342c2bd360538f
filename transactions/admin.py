"""The counter in the Django admin: tellers book cash, and bring it from the vault."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from core import clock
from core.errors import DomainError
from transactions.cash import deposit_cash, fill_with_cash, withdraw_cash
from transactions.counter import BookingForm, FillingForm
from transactions.permissions import CashDesk
from transactions.services import Receipt

BOOK: Final = "transactions.book_cash"
FILL: Final = "transactions.fill_with_cash"
_SERVICES: Final = {"deposit": deposit_cash, "withdrawal": withdraw_cash}
_FILL: Final = "filling"
_BUTTONS: Final = (*_SERVICES, _FILL)


@admin.register(CashDesk)
class CashDeskAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """One page, with what the person may do on it."""

    def get_urls(self) -> list[URLPattern]:
        """Return the address of the page, where the admin looks for the list of a model."""
        page = self.admin_site.admin_view(self.counter)
        return [path("", page, name="transactions_cashdesk_changelist")]

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the page to those who may do something on it."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: CashDesk | None = None) -> bool:  # noqa: ARG002  # Django passes it
        """Let those in who may do something here."""
        return request.user.has_perm(BOOK) or request.user.has_perm(FILL)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002  # Django passes it
        """Add nothing: there is no table."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: CashDesk | None = None) -> bool:  # noqa: ARG002  # Django passes them
        """Change nothing: there is no table."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CashDesk | None = None) -> bool:  # noqa: ARG002  # Django passes them
        """Delete nothing: there is no table."""
        return False

    def counter(self, request: HttpRequest) -> HttpResponse:
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
        return self._page(request, booking, filling)

    def _page(
        self, request: HttpRequest, booking: BookingForm, filling: FillingForm
    ) -> TemplateResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Cash desk"),
            "opts": self.opts,
            "booking": booking if request.user.has_perm(BOOK) else None,
            "filling": filling if request.user.has_perm(FILL) else None,
        }
        status = 422 if booking.errors or filling.errors else 200
        return TemplateResponse(request, "admin/cash_desk.html", context, status=status)


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
    return _SERVICES[what](form.request(teller=_teller(request)), now=clock.now())


def _fill(request: HttpRequest, form: FillingForm) -> Receipt:
    return fill_with_cash(form.filling(teller=_teller(request)), now=clock.now())


def _teller(request: HttpRequest) -> int:
    return int(request.user.pk)  # type: ignore[arg-type]  # nobody without an id gets here
