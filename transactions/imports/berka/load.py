"""Loading the books of the Berka bank into this one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Final

from django.db import transaction

from transactions.chart import BankAccounts, open_chart
from transactions.imports.berka.cards import ImportedCard, add_cards, read_cards
from transactions.imports.berka.loans import (
    GrantedLoan,
    LoanPayment,
    loan_payments,
    read_loans,
)
from transactions.imports.berka.orders import PermanentOrder, add_orders, read_orders
from transactions.imports.berka.people import (
    ACCOUNT_REFERENCE,
    BerkaFiles,
    add_districts,
    read_people,
)
from transactions.imports.berka.rows import (
    CURRENCY,
    parse_transactions,
    read_transactions,
    row_after,
)
from transactions.imports.entries import Row
from transactions.imports.loading import Advance, load_rows
from transactions.imports.people import add_customers, head_office
from transactions.imports.tables import BadRow, Line
from transactions.ledger.accounts import lock_imports
from transactions.ledger.posting import BANK_CLIENT
from transactions.ledger.reads import transfers_under

Lender = Callable[
    [Sequence[GrantedLoan], Mapping[str, int], Mapping[str, Sequence[LoanPayment]]], int
]
"""Brings loans in, with accounts by the files' ids and what was paid; returns how many are here."""

_lenders: Final[list[Lender]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class BerkaBooks:
    """What the files say, read and checked as far as that needs no bank."""

    people: BerkaFiles
    orders: Sequence[PermanentOrder]
    cards: Sequence[ImportedCard]
    loans: Sequence[GrantedLoan]
    transactions: Sequence[Line]


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """How many of the files' standing orders, cards and loans the bank has."""

    orders: int
    cards: int
    loans: int = 0


def read_berka(folder: Path, *, transactions: Path) -> BerkaBooks:
    """Read all files; nothing is written.

    Raises:
        UnreadableFile
    """
    people = read_people(folder)
    return BerkaBooks(
        people=people,
        orders=read_orders(folder, accounts=people.account_ids),
        cards=read_cards(folder),
        loans=read_loans(folder, accounts=people.account_ids),
        transactions=read_transactions(transactions),
    )


def load_berka(books: BerkaBooks, *, advance: Advance) -> Promised:
    """Add people, accounts, orders and cards, then post and compare the transactions, row by row.

    Before the rows all comes in one transaction, rows in one a chunk, and the loans in one at last.
    Returns how many of the orders, cards and loans the bank has.

    Raises:
        OrderDiffers, CardDiffers: one is another one here; nothing was written.
        DomainError: a loan is another one here; all else is loaded.
        BadRow: the first row that is not as it should be; those before it are posted.
        Busy: what is missing comes with the next load.
    """
    accounts, bank, promised = _add_people(books)
    rows = parse_transactions(books.transactions, accounts=accounts, bank=bank)
    last: dict[str, Row] = {}
    load_rows(_remembering(rows, last), bank=bank, advance=advance)
    _refuse_missing_ends(last)
    return replace(promised, loans=_lend(books, accounts))


def lent_by(lender: Lender) -> None:
    """Have the loans of the books brought in by an app above."""
    _lenders.append(lender)


@transaction.atomic
def _lend(books: BerkaBooks, accounts: Mapping[str, int]) -> int:
    lock_imports()
    payments = loan_payments(books.transactions)
    return sum(lend(books.loans, accounts, payments) for lend in _lenders)


@transaction.atomic
def _add_people(books: BerkaBooks) -> tuple[Mapping[str, int], BankAccounts, Promised]:
    lock_imports()
    files = books.people
    branch = head_office()
    bank = open_chart(branch=branch.number, currency=CURRENCY)
    customers = files.customers(add_districts(files.districts))
    numbers = add_customers(customers, branch=branch)
    ids = {
        reference.removeprefix(ACCOUNT_REFERENCE): number for reference, number in numbers.items()
    }
    promised = Promised(
        orders=add_orders(books.orders, numbers=ids, bank=bank),
        cards=add_cards(books.cards, numbers=ids),
    )
    return ids, bank, promised


def _remembering(rows: Iterator[Row], last: dict[str, Row]) -> Iterator[Row]:
    for row in rows:
        last[row.entry.label] = row
        yield row


def _refuse_missing_ends(last: Mapping[str, Row]) -> None:
    """Refuse a file that ends an account's history earlier than one loaded before."""
    following = {row_after(row): row for row in last.values()}
    more = transfers_under(list(following), client=BANK_CLIENT)
    if more:
        first = min((following[reference].entry for reference in more), key=attrgetter("line"))
        raise BadRow(
            line=first.line,
            account=first.label,
            field="seq",
            expected="a next row",
            found="none; the ledger has it from an earlier load",
        )
