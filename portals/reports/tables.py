"""The tables of a monthly report: the same on the page, on paper and as files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.utils.translation import gettext as _

from core.clock import bank_time
from core.money import Money
from loans.standing import Bucket
from portals.amounts import written
from portals.reports.models import MonthlyReport
from portals.templatetags.bank import calendar_day, channel, kind

Cell = str | int | date | datetime | Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows below headings; ``name`` is that of its file, ``nothing`` is said where no row is."""

    name: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    nothing: str
    note: str = ""

    @property
    def columns(self) -> list[tuple[str, bool]]:
        """The headings, each with whether numbers are below it."""
        first = self.rows[0] if self.rows else [""] * len(self.headings)
        return [
            (heading, isinstance(cell, int | Money))
            for heading, cell in zip(self.headings, first, strict=True)
        ]

    @property
    def cells(self) -> list[list[tuple[str, bool]]]:
        """The rows as people read them, each cell with whether it is a number."""
        return [
            [(_shown(cell), isinstance(cell, int | Money)) for cell in row] for row in self.rows
        ]

    @property
    def labelled(self) -> list[list[tuple[str, str, bool]]]:
        """The cells as people read them, each with its heading, for narrow screens."""
        return [
            [(name, *cell) for name, cell in zip(self.headings, row, strict=True)]
            for row in self.cells
        ]

    @property
    def lines(self) -> list[list[str]]:
        """The rows as programs read them, headings first; amounts have their currency beside."""
        return [list(self.headings), *([_plain(cell) for cell in row] for row in self.rows)]


def tables_of(report: MonthlyReport) -> list[Table]:
    """Return all tables of a report, in its order and today's language."""
    return [make(report.figures) for make in TABLES.values()]


def _roles(figures: dict[str, Any]) -> Table:
    return Table(
        name="log-ins",
        title=_("Log-ins by role"),
        headings=[_("Role"), _("Log-ins"), _("Failures"), _("Locked out"), _("People")],
        rows=[
            [
                _("All") if one["role"] is None else _role(one["role"]),
                *(one[name] for name in ("log_ins", "failures", "lock_outs", "people")),
            ]
            for one in figures["log_ins"]
        ],
        nothing=_("Nobody tried to log in."),
        note=_(
            "Roles are what people are to the bank now. People are counted once, who logged in."
        ),
    )


def _days(figures: dict[str, Any]) -> Table:
    return Table(
        name="log-ins-by-day",
        title=_("Log-ins by day"),
        headings=[_("Day"), _("Role"), _("Log-ins"), _("Failures"), _("People")],
        rows=[
            [
                date.fromisoformat(one["day"]),
                _role(one["role"]),
                *(one[name] for name in ("log_ins", "failures", "people")),
            ]
            for one in figures["days"]
        ],
        nothing=_("Nobody tried to log in."),
    )


def _joined(figures: dict[str, Any]) -> Table:
    return Table(
        name="new-people",
        title=_("New people"),
        headings=[_("Role"), _("People")],
        rows=[[_role(one["role"]), one["people"]] for one in figures["joined"]],
        nothing=_("Nobody joined."),
    )


def _volumes(figures: dict[str, Any]) -> Table:
    return Table(
        name="volumes",
        title=_("Volumes by branch and channel"),
        headings=[_("Branch"), _("Channel"), _("Transfers"), _("Currency"), _("Amount")],
        rows=[
            [
                _branch(figures, one["branch"]),
                str(channel(one["channel"])),
                one["transfers"],
                *_amounts(one["amount"]),
            ]
            for one in figures["volumes"]
        ],
        nothing=_("Nothing moved."),
        note=_("A transfer counts at the payer's branch."),
    )


def _balances(figures: dict[str, Any]) -> Table:
    return Table(
        name="balances",
        title=_("Balances at the end"),
        headings=[_("Branch"), _("Currency"), _("Customers"), _("Cash")],
        rows=[
            [
                _branch(figures, one["branch"]),
                *_amounts(one["customers"]),
                Money(**one["cash"]),
            ]
            for one in figures["holdings"]
        ],
        nothing=_("No accounts."),
        note=_("By the branch that opened the account."),
    )


def _largest(figures: dict[str, Any]) -> Table:
    return Table(
        name="largest",
        title=_("Largest movements"),
        headings=[_("Time"), _("From"), _("To"), _("What for"), _("Currency"), _("Amount")],
        rows=[
            [
                datetime.fromisoformat(one["recorded_at"]),
                str(one["debit"]),
                str(one["credit"]),
                str(kind(one["kind"])),
                *_amounts(one["amount"]),
            ]
            for one in figures["largest"]
        ],
        nothing=_("Nothing moved."),
    )


def _in_transit(figures: dict[str, Any]) -> Table:
    sound = {
        True: _("The position after the last day was sound: nothing in transit, books balanced."),
        False: _("The position after the last day was NOT sound. Look at the reconciliation."),
        None: _("No position was taken after the last day."),
    }
    return Table(
        name="in-transit",
        title=_("In transit between branches at the end"),
        headings=[_("Currency"), _("Amount")],
        rows=[_amounts(one) for one in figures["in_transit"]],
        nothing=_("Nothing has ever gone from one node to another."),
        note=sound[figures["was_sound"]],
    )


def _loans(figures: dict[str, Any]) -> Table:
    return Table(
        name="loans-at-risk",
        title=_("Loans at risk"),
        headings=[_("Days late"), _("Loans"), _("Currency"), _("They owe"), _("Due by now")],
        rows=[
            [
                _("in time") if one["bucket"] == Bucket.CURRENT else one["bucket"],
                one["loans"],
                *_amounts(one["owed"]),
                Money(**one["due"]),
            ]
            for one in figures["loans"]
        ],
        nothing=_("No loan is running."),
        note=_("As they stood when this was made."),
    )


TABLES: Final[dict[str, Callable[[dict[str, Any]], Table]]] = {
    "log-ins": _roles,
    "log-ins-by-day": _days,
    "new-people": _joined,
    "volumes": _volumes,
    "balances": _balances,
    "largest": _largest,
    "in-transit": _in_transit,
    "loans-at-risk": _loans,
}
"""How each table is made, by its name."""


def _role(role: str) -> str:
    return role or _("nobody known")


def _branch(figures: dict[str, Any], number: int) -> str:
    name = figures["branches"].get(str(number), "")
    return f"{number} {name}".strip()


def _amounts(amount: dict[str, Any]) -> list[Cell]:
    found = Money(**amount)
    return [found.currency, found]


def _shown(cell: Cell) -> str:
    if isinstance(cell, Money):
        return written(cell)
    if isinstance(cell, datetime):
        return _unbroken(f"{calendar_day(bank_time(cell).date())} {bank_time(cell):%H:%M}")
    return _unbroken(calendar_day(cell)) if isinstance(cell, date) else str(cell)


def _unbroken(words: str) -> str:
    """Return words that stay in one line."""
    return words.replace(" ", "\N{NO-BREAK SPACE}")


def _plain(cell: Cell) -> str:
    if isinstance(cell, Money):
        return cell.text
    return cell.isoformat() if isinstance(cell, date) else str(cell)
