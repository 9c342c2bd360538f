"""An account's statement: what is wanted of it, page by page."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import clock
from core.clock import bank_day
from core.cursors import InvalidCursor
from core.errors import DomainError
from portals.amounts import written_change
from portals.customer.page import REFUSED, customer_page, person
from portals.customer.statement_form import StatementForm
from portals.templatetags.bank import kind, money
from transactions.cursors import cursor_after, read_cursor
from transactions.selectors import Movement, account_of
from transactions.statements.files import FORMATS
from transactions.statements.monthly import want_statements, wants_statements
from transactions.statements.pages import NEWEST, Place, StatementPage, statement_page
from transactions.statements.pending import Pending

PAGE: Final = 50
# Stands for any transfer in the address that is filled in for each.
_ANY: Final = UUID(int=0)


@require_safe
@customer_page
def statement(request: HttpRequest, number: int) -> HttpResponse:
    """Show a page of an account's statement, newest first, with the balance after each movement."""
    before, after = (_cursor(request, name, number) for name in ("before", "after"))
    form = StatementForm(request.GET)
    if form.is_valid():
        place = Place(before=before, after=after, day=form.cleaned_data["day"])
        try:
            page = statement_page(
                person(request).pk,
                number=number,
                place=place,
                limit=PAGE,
                wanted=form.wanted,
                now=clock.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            return render(request, "customer/statement.html", _context(form, place, page))
    context = {"form": form, "account": account_of(person(request).pk, number=number)}
    return render(request, "customer/statement.html", context, status=REFUSED)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def monthly(request: HttpRequest, number: int) -> HttpResponse:
    """Show whether an account's statements come by e-mail, and let them come or not."""
    who = person(request).pk
    if request.method == "POST":
        is_wanted = "wanted" in request.POST
        want_statements(who, number=number, wanted=is_wanted, now=clock.now())
        messages.success(request, _("Changed."))
        return redirect("monthly-statement", number=number)
    context = {"number": number, "is_wanted": wants_statements(who, number=number)}
    return render(request, "customer/monthly_statement.html", context)


def _cursor(request: HttpRequest, name: str, number: int) -> UUID | None:
    text = request.GET.get(name)
    try:
        return read_cursor(text, account=number) if text else None
    except InvalidCursor as error:
        raise Http404 from error


def _context(form: StatementForm, place: Place, page: StatementPage) -> dict[str, Any]:
    number = page.account.number
    turns = {"newer": ("after", page.newer), "older": ("before", page.older)}
    return {
        "form": form,
        "account": page.account,
        "days": _by_day(page.movements),
        "totals": page.totals,
        "pending": page.pending,
        "planned": _planned(page.pending),
        "is_newest": place == NEWEST,
        "query": form.query(),
        "formats": [
            {"name": one.label, "address": reverse(f"statement-{ending}", args=[number])}
            for ending, one in FORMATS.items()
        ],
        **{
            turn: at and form.query(**{name: cursor_after(number, last=at)})
            for turn, (name, at) in turns.items()
        },
    }


def _planned(pending: Pending | None) -> list[dict[str, object]]:
    """Pair the payments to come with whom they go to."""
    if pending is None or pending.forecast is None:
        return []
    return [
        {"payment": one, "payee": pending.payees[one.credit]} for one in pending.forecast.payments
    ]


def _by_day(movements: Sequence[Movement]) -> list[tuple[date, list[dict[str, Any]]]]:
    """Group movements that follow one another by the bank's day on which they happened."""
    found = groupby(movements, key=lambda movement: bank_day(movement.event_at))
    address = reverse("receipt", args=[_ANY])
    return [(day, [_row(movement, address) for movement in several]) for day, several in found]


def _row(movement: Movement, address: str) -> dict[str, Any]:
    """Return what a row shows, written here: a template takes several times as long."""
    name, change = movement.counterparty.name, written_change(movement.change)
    what = kind(movement.kind)
    return {
        "address": address.replace(str(_ANY), str(movement.transfer_id)),
        "called": movement.memo or name or what,
        "what": what,
        "name": name if movement.memo else "",
        "going": change if movement.is_out else "",
        "coming": "" if movement.is_out else change,
        "after": money(movement.balance_after),
    }
