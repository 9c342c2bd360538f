"""How a customer's money went: six months as a chart, its table, and a file of it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from core import clock
from core.spreadsheets import csv_response
from portals.customer.page import customer_page, person
from transactions.statements.insights import Insights, insights_of


@require_safe
@customer_page
def insights(request: HttpRequest) -> HttpResponse:
    """Show how the money of a currency went."""
    found = _asked(request)
    context: dict[str, Any] = {"found": found, "moved": [f for _m, f in found.months if f.entries]}
    return render(request, "customer/insights.html", context)


@require_safe
@customer_page
def insights_file(request: HttpRequest) -> HttpResponseBase:
    """Answer with the months as a file."""
    found = _asked(request)
    rows = [
        [f"{month:%Y-%m}", figures.coming.text, figures.going.text, figures.net.text,
         str(figures.entries), found.currency]
        for month, figures in found.months
    ]  # fmt: skip
    headings = ["month", "in", "out", "net", "movements", "currency"]
    return csv_response("insights.csv", [headings, *rows])


def _asked(request: HttpRequest) -> Insights:
    """Return the insights of the currency that the address names, if the person has any in it."""
    currency = request.GET.get("currency")
    return insights_of(person(request).pk, currency=currency, now=clock.now())
