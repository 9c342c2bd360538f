"""What the bank's model would say of a loan that somebody only thinks of."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core import clock
from core.errors import DomainError
from loans.risk.assessing import Assessment, what_if
from portals.customer.loan_forms import FIGURES, LoanQuoteForm
from portals.customer.page import customer_page, person
from transactions.selectors import accounts_of


@require_safe
@customer_page
def loan_what_if(request: HttpRequest) -> HttpResponse:
    """Show how a loan would look to the bank, were it applied for today; nothing is kept."""
    user = person(request).pk
    accounts = accounts_of(user)
    typed = request.GET if set(FIGURES) & set(request.GET) else None
    form = LoanQuoteForm(typed, accounts=accounts)
    found = _found(user, form) if typed is not None and form.is_valid() else None
    context = {"form": form, "found": found, "accounts": accounts}
    return render(request, "customer/loan_what_if.html", context)


def _found(user: int, form: LoanQuoteForm) -> Assessment | None:
    asked = form.cleaned_data
    try:
        return what_if(
            user,
            product=asked["product"],
            account=asked["account"],
            amount=asked["amount"],
            months=asked["months"],
            now=clock.now(),
        )
    except DomainError as error:
        form.refuse(error)
        return None
