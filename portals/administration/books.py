"""The books: each node's trial balance, and how the nodes agree with each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import clock
from core.money import Money
from portals.administration.page import admin_page, shown
from transactions.branches.books import compare_nodes
from transactions.branches.position import Sum
from transactions.closing.models import BankDay
from transactions.figures import NodeFigures, figures_of_nodes

_DAYS: Final = 31


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a trial balance: a kind of account; on the debit side or on the credit side."""

    purpose: str
    accounts: int
    debit: Money | None
    credit: Money | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """The trial balance of a node, or of the whole bank, in one currency."""

    node: str | None
    lines: Sequence[Line]
    debits: Money
    credits: Money

    @property
    def is_balanced(self) -> bool:
        """Tell whether both sides are equal."""
        return self.debits == self.credits


@require_safe
@admin_page()
def trial_balance(request: HttpRequest) -> HttpResponse:
    """Show the trial balance of the whole bank, and of each node."""
    figures = _figures()
    sums = [one for node in figures for one in node.sums or ()]
    return shown(
        request,
        "trial_balance",
        _("Trial balance"),
        whole=_sheets(None, _added_up(sums)),
        by_node=[(node, _sheets(node.node, node.sums or ())) for node in figures],
        silent=[node.node for node in figures if not node.is_up],
    )


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page()
def reconciliation(request: HttpRequest) -> HttpResponse:
    """Show how the nodes agree; by the form's button, compare them at one point in time."""
    figures = _figures()
    return shown(
        request,
        "reconciliation",
        _("Reconciliation"),
        figures=figures,
        pairs=_pairs(figures),
        silent=[node.node for node in figures if not node.is_up],
        findings=compare_nodes() if request.method == "POST" else None,
        days=_positions(),
    )


def _figures() -> list[NodeFigures]:
    today = clock.start_of(clock.bank_day(clock.now()))
    return figures_of_nodes(day=today, month=today)


def _sheets(node: str | None, sums: Sequence[Sum]) -> list[Sheet]:
    return [
        _sheet(node, currency, [one for one in sums if one.currency == currency])
        for currency in sorted({one.currency for one in sums})
    ]


def _sheet(node: str | None, currency: str, sums: Sequence[Sum]) -> Sheet:
    debits = sum(one.balance for one in sums if one.side == -1)
    credits_ = sum(one.balance for one in sums if one.side == 1)
    lines = [
        Line(
            purpose=one.purpose,
            accounts=one.accounts,
            debit=Money(one.balance, currency) if one.side == -1 else None,
            credit=Money(one.balance, currency) if one.side == 1 else None,
        )
        for one in sums
    ]
    return Sheet(node, lines, Money(debits, currency), Money(credits_, currency))


def _added_up(sums: Sequence[Sum]) -> list[Sum]:
    """Return the sums of all nodes together, by currency, purpose and side."""
    found: dict[tuple[str, str, int], Sum] = {}
    for one in sums:
        place = (one.currency, one.purpose, one.side)
        known = found.get(place)
        found[place] = Sum(
            node="",
            currency=one.currency,
            purpose=one.purpose,
            side=one.side,
            accounts=one.accounts + (known.accounts if known else 0),
            balance=one.balance + (known.balance if known else 0),
        )
    return [found[place] for place in sorted(found)]


def _pairs(figures: Sequence[NodeFigures]) -> list[tuple[str, str, Money]]:
    """Return what is between each two nodes that answer, by currency: zero when nothing moves."""
    up = {node.node for node in figures if node.is_up}
    found: dict[tuple[str, str, str], int] = {}
    for node in figures:
        for other, money in node.owed:
            one, two = sorted((node.node, other))
            place = (one, two, money.currency)
            found[place] = found.get(place, 0) + money.minor
    return [
        (one, two, Money(minor, currency))
        for (one, two, currency), minor in sorted(found.items())
        if {one, two} <= up
    ]


def _positions() -> list[tuple[BankDay, list[Money], list[Money]]]:
    """Return the last days closed, with what customers had and what was in transit then."""
    closed = BankDay.objects.filter(position__isnull=False)[:_DAYS]
    return [
        (
            day,
            _amounts(position["customers"]),
            [one for one in _amounts(position["in_transit"]) if one.minor],
        )
        for day in closed
        if (position := day.position) is not None
    ]


def _amounts(by_currency: dict[str, int]) -> list[Money]:
    return [Money(minor, currency) for currency, minor in sorted(by_currency.items())]
