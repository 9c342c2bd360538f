"""The loans of loan.asc, and what the transactions tell of their repayment.

The books say what each loan is repaid by in all, so it comes in without interest. How it stood when
they end is told by one letter.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from transactions.imports.berka.orders import FIRST_DATE
from transactions.imports.berka.rows import CURRENCY
from transactions.imports.tables import (
    BadField,
    Line,
    day,
    minor_units,
    one_of,
    parse_table,
    whole,
)

END: Final = FIRST_DATE
"""The books tell of what was before this day."""
_COLUMNS: Final = ("loan_id", "account_id", "date", "amount", "duration", "payments", "status")
_STATUSES: Final = ("A", "B", "C", "D")
_AS_AGREED: Final = ("A", "C")
_SYMBOLS: Final = ("UVER", "loan payment")
_ACCOUNT, _DATE, _AMOUNT, _SYMBOL = 0, 2, 4, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedLoan:
    """A line of loan.asc; ``account`` is the file's own id, amounts in minor units of koruny.

    ``is_as_agreed``: all that fell due was paid when the books end.
    """

    loan_id: int
    account: str
    granted: date
    amount: int
    months: int
    is_as_agreed: bool


@dataclass(frozen=True, slots=True)
class LoanPayment:
    """A row by which a loan was paid for, in minor units."""

    day: date
    minor: int


def read_loans(folder: Path, *, accounts: set[str]) -> list[GrantedLoan]:
    """Read and check loan.asc; ``accounts`` are the ids of account.asc. Books without it have none.

    Raises:
        UnreadableFile: naming file, line and field.
    """
    path = folder / "loan.asc"
    return parse_table(path, _COLUMNS, partial(_loan, accounts)) if path.exists() else []


def loan_payments(lines: Sequence[Line]) -> Mapping[str, Sequence[LoanPayment]]:
    """Return by which rows loans were paid for, by the ids of their accounts, in their order.

    Only rows that were found to be right are to be asked.
    """
    found: dict[str, list[LoanPayment]] = defaultdict(list)
    for line in lines:
        if line.fields[_SYMBOL] in _SYMBOLS:
            change = minor_units(line.fields[_AMOUNT], currency=CURRENCY, field="signed_amount")
            found[line.fields[_ACCOUNT]].append(
                LoanPayment(day(line.fields[_DATE], field="date"), -change)
            )
    return found


def _loan(accounts: set[str], fields: Sequence[str]) -> GrantedLoan:
    account = str(whole(fields[1], field="account_id"))
    if account not in accounts:
        raise BadField(field="account_id", expected="one of account.asc", found=fields[1])
    amount = minor_units(fields[3], currency=CURRENCY, field="amount")
    months = whole(fields[4], field="duration")
    payment = minor_units(fields[5], currency=CURRENCY, field="payments")
    if not 0 < amount == months * payment:
        raise BadField(field="payments", expected="amount by duration", found=fields[5])
    status = one_of(fields[6], _STATUSES, field="status")
    return GrantedLoan(
        loan_id=whole(fields[0], field="loan_id"),
        account=account,
        granted=day(fields[2], field="date"),
        amount=amount,
        months=months,
        is_as_agreed=status in _AS_AGREED,
    )
