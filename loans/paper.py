"""The schedule of a loan as PDF/UA. In English: no font for Hindi comes with the bank."""

from datetime import date, datetime
from pathlib import Path
from typing import Final

from core.amounts import grouped
from core.clock import bank_day
from core.money import Money
from core.typesetting import typeset
from loans.rows import InstalmentState, Row
from loans.showing import LoanShown

_TEMPLATE: Final = Path(__file__).parent / "typst" / "schedule.typ"
_BANK: Final = "Bankproject"
_HEADS: Final = ("No.", "Due", "Principal", "Interest", "Instalment", "Left after it", "State")
_STATES: Final = {
    InstalmentState.PAID: "paid",
    InstalmentState.LATE: "late",
    InstalmentState.DUE: "due today",
    InstalmentState.COMING: "",
}
_METHODS: Final = {
    "annuity": "Equal instalments",
    "flat": "Flat interest on the whole amount",
    "interest_only": "Interest alone, the amount at the end",
}


def schedule_pdf(shown: LoanShown, *, borrower: str, now: datetime) -> bytes:
    """Return the schedule that holds for a loan, each instalment with its state.

    Raises:
        TypesetterBusy
    """
    loan = shown.loan
    data = {
        "lang": "en",
        "bank": _BANK,
        "title": "Schedule of a loan",
        "foot": f"Loan {loan.number} \N{MIDDLE DOT} made on {_day(bank_day(now))}",
        "page-of": "Page {page} of {pages}",
        "facts": [
            ("Borrower", borrower),
            ("Loan", str(loan.number)),
            ("Paid out", f"{_day(loan.start)} to account {loan.account}" if loan.start else "-"),
            ("Repaid by", _METHODS[loan.terms.method]),
            ("Interest a year", f"{shown.rate} %"),
        ],
        "totals": [
            ("Lent", _amount(loan.money)),
            ("Left to repay", _amount(shown.principal)),
            ("Due now", _amount(shown.due)),
        ],
        "heads": _HEADS,
        "rows": [_row(row) for row in shown.rows],
    }
    return typeset(_TEMPLATE, data)


def _row(row: Row) -> tuple[str, ...]:
    return (
        str(row.instalment.number),
        _day(row.instalment.due_date),
        grouped(row.principal.text),
        grouped(row.interest.text),
        grouped(row.total.text),
        grouped(row.left.text),
        _STATES[row.state],
    )


def _amount(amount: Money) -> str:
    return f"{amount.currency} {grouped(amount.text)}"


def _day(on: date) -> str:
    return f"{on.day} {on:%b %Y}"
