"""A branch's day, for staff: as a page, and each of its tables as a file."""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.selectors import UnknownBranch
from core import clock
from core.spreadsheets import closed, csv_response
from portals.customer.page import REFUSED
from portals.customer.statement_form import DayField
from portals.employee.page import staff_page
from portals.reports.tables import Table
from portals.templatetags.bank import channel, kind
from transactions.reporting.account_days import UnfitPeriod
from transactions.reporting.branch_day import BranchDay, branch_day

_FIRST_TABLE: Final = "movements"


class DayForm(forms.Form):
    """Which day; yesterday when nothing is asked for."""

    day = DayField(gettext_lazy("Day"))

    def found(self, code: str) -> BranchDay | None:
        """Return the day of a branch; None, with the fault beside the field, when it is unfit.

        Raises:
            Http404: there is no such branch.
            PositionNotReached, BranchDown
        """
        if not self.is_valid():
            return None
        try:
            return branch_day(code, self.cleaned_data["day"], now=clock.now())
        except UnknownBranch as error:
            raise Http404 from error
        except UnfitPeriod as error:
            self.add_error("day", ValidationError(error.message, code=error.code))
            return None


@require_safe
@staff_page
def branch_summary(request: HttpRequest, code: str) -> HttpResponse:
    """Show what a day was like at a branch."""
    form = DayForm(request.GET)
    found = form.found(code)
    if found is None:
        context: dict[str, Any] = {"form": form, "code": code}
        return render(request, "reports/branch_day.html", context, status=REFUSED)
    tables = [make(found) for make in _TABLES.values()]
    filled = DayForm({"day": str(found.day)})
    context = {"form": filled, "code": code, "found": found, "tables": tables}
    return render(request, "reports/branch_day.html", context)


@require_safe
@staff_page
def branch_summary_file(request: HttpRequest, code: str) -> HttpResponseBase:
    """Answer with one table of a branch's day."""
    make = _TABLES.get(request.GET.get("table", _FIRST_TABLE))
    if make is None:
        raise Http404
    found = DayForm(request.GET).found(code)
    if found is None:
        return redirect(f"{reverse('staff-branch-day', args=[code])}?{request.GET.urlencode()}")
    table = make(found)
    return csv_response(f"{code}-{found.day}-{table.name}.csv", closed(table.lines))


def _movements(found: BranchDay) -> Table:
    return Table(
        name="movements",
        title=_("What moved"),
        headings=[_("What for"), _("Channel"), _("Transfers"), _("Currency"), _("Amount")],
        rows=[
            [
                str(kind(one.kind)),
                str(channel(one.channel)),
                one.transfers,
                one.amount.currency,
                one.amount,
            ]
            for one in found.moved
        ],
        nothing=_("Nothing moved on this branch's accounts."),
    )


def _customers(found: BranchDay) -> Table:
    return Table(
        name="customers",
        title=_("Customers' accounts"),
        headings=[_("Currency"), _("Accounts"), _("Credits"), _("Debits"), _("Net change")],
        rows=[
            [one.coming.currency, one.accounts, one.coming, one.going, one.net]
            for one in found.customers
        ],
        nothing=_("Nothing moved on customers' accounts."),
        note=_("Accounts are counted once, on which something moved."),
    )


def _cash(found: BranchDay) -> Table:
    return Table(
        name="cash",
        title=_("Cash"),
        headings=[_("Place"), _("Account"), _("Currency"), _("When it began"), _("When it ended")],
        rows=[
            [
                str(one.place.name),
                str(one.place.number),
                one.closing.currency,
                one.opening,
                one.closing,
            ]
            for one in found.cash
        ],
        nothing=_("This branch has no vault, till or machine."),
    )


_TABLES: Final[dict[str, Callable[[BranchDay], Table]]] = {
    "movements": _movements,
    "customers": _customers,
    "cash": _cash,
}
