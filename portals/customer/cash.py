"""Cash that customers pay in and take out themselves, where the bank allows it."""

from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from core import clock
from core.errors import DomainError
from portals.customer.forms import CashForm
from portals.customer.page import REFUSED, customer_page, person
from transactions.cash import daily_at_machine, deposit_cash, withdraw_cash
from transactions.selectors import accounts_of

_SERVICES: Final = {"in": deposit_cash, "out": withdraw_cash}


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def cash(request: HttpRequest) -> HttpResponse:
    """Pay cash in or take it out, by the button that is pressed, and go to the receipt."""
    if not settings.BANK_SELF_SERVICE_CASH:
        raise Http404
    accounts = accounts_of(person(request).pk)
    book = _SERVICES.get(request.POST.get("way", ""))
    if book is None:
        form = CashForm(initial={"account": request.GET.get("account", "")}, accounts=accounts)
        return _page(request, form)
    form = CashForm(request.POST, accounts=accounts)
    if not form.is_valid():
        return _page(request, form, status=REFUSED)
    try:
        booked = book(form.request(user=person(request).pk), now=clock.now())
    except DomainError as error:
        form.refuse(error)
        return _page(request, form, status=error.http_status)
    return redirect("receipt", transfer_id=booked.transfer_id)


def _page(request: HttpRequest, form: CashForm, status: int = 200) -> HttpResponse:
    limits = [daily_at_machine(currency) for currency in dict.fromkeys(form.currencies.values())]
    context = {"form": form, "limits": limits}
    return render(request, "customer/cash.html", context, status=status)
