"""A customer's accounts and what moved on them."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core.money import Money
from portals.customer.page import customer_page, person
from transactions.holders import holders_of_account
from transactions.selectors import AccountView, accounts_of, latest_movements

LATEST: Final = 5


@require_safe
@customer_page
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show what there is, and what moved last."""
    accounts = accounts_of(person(request).pk)
    context = {
        "accounts": accounts,
        "totals": _totals(accounts),
        "movements": latest_movements(accounts, limit=LATEST),
    }
    return render(request, "customer/dashboard.html", context)


@require_safe
@customer_page
def accounts(request: HttpRequest) -> HttpResponse:
    """Show all accounts, with what can be spent."""
    found = accounts_of(person(request).pk)
    context = {"accounts": found, "totals": _totals(found)}
    return render(request, "customer/accounts.html", context)


@require_safe
@customer_page
def holders_page(request: HttpRequest, number: int) -> HttpResponse:
    """Show who holds an account, owners first."""
    held = holders_of_account(person(request).pk, number=number)
    return render(request, "customer/holders.html", {"number": number, "holders": held})


def _totals(accounts: Sequence[AccountView]) -> list[Money]:
    """Add up the balances of each currency."""
    totals: Counter[str] = Counter()
    for account in accounts:
        totals[account.currency] += account.balance.minor
    return [Money(minor, currency) for currency, minor in totals.items()]
