"""A customer's accounts and what moved on them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core import clock
from portals.customer.page import customer_page, person
from transactions.holders import holders_of_account
from transactions.interest.earned import terms_of_account
from transactions.statements.overview import (
    NEXT,
    Overview,
    accounts_ahead,
    overview_of,
    totals_by_currency,
)


@require_safe
@customer_page
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show what there is, how it went this month, what moved last and what comes next."""
    found = overview_of(person(request).pk, now=clock.now())
    context = {
        "lines": found.lines,
        "totals": found.totals,
        "months": found.months,
        "movements": found.latest,
        "payments": _next_payments(found),
        "is_known_what_comes": found.upcoming is not None,
        "short": [line for line in found.lines if line.forecast and line.forecast.short_on],
    }
    return render(request, "customer/dashboard.html", context)


@require_safe
@customer_page
def accounts(request: HttpRequest) -> HttpResponse:
    """Show all accounts, with what can be spent and what will be there."""
    lines = accounts_ahead(person(request).pk, now=clock.now())
    totals = totals_by_currency([line.account for line in lines])
    context = {"lines": lines, "totals": totals}
    return render(request, "customer/accounts.html", context)


@require_safe
@customer_page
def holders_page(request: HttpRequest, number: int) -> HttpResponse:
    """Show who holds an account, owners first."""
    held = holders_of_account(person(request).pk, number=number)
    return render(request, "customer/holders.html", {"number": number, "holders": held})


@require_safe
@customer_page
def account_terms(request: HttpRequest, number: int) -> HttpResponse:
    """Show what an account gives and costs, what it has earned, and what of that was posted."""
    found = terms_of_account(person(request).pk, number=number, now=clock.now())
    return render(request, "customer/account_terms.html", {"found": found})


def _next_payments(overview: Overview) -> list[dict[str, object]]:
    return [
        {"payment": one, "payee": overview.payees[one.credit]}
        for one in (overview.upcoming or [])[:NEXT]
    ]
