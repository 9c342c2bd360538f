"""Loading a table of payments of the users of an Indian bank.

Each row's own arithmetic holds, but rows do not follow from one another: `balance` of a row has
nothing to do with the row before. So each user gets one account with an opening balance, the least
that keeps it at zero or above throughout and is not below the first row's `balance`. Where rows
corrected later need more, the least that is enough for them is added.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from transactions.chart import BankAccounts, Place, open_chart
from transactions.imports.comparing import recorded_entries
from transactions.imports.entries import Entry, Row
from transactions.imports.loading import Advance, load_rows
from transactions.imports.people import (
    Customers,
    ImportedAccount,
    ImportedHolder,
    ImportedPerson,
    add_customers,
    head_office,
)
from transactions.imports.tables import (
    BadField,
    BadRow,
    Line,
    check_length,
    minor_units,
    one_of,
    read_table,
)
from transactions.ledger.accounts import lock_imports
from transactions.ledger.posting import BANK_CLIENT, Kind
from transactions.ledger.reads import transfers_under

CURRENCY: Final = "INR"
COLUMNS: Final = (
    "name",
    "transaction_type",
    "amount",
    "balance",
    "time_of_transaction",
    "dynamic_balance",
    "",
    "username",
)
MOST_OF_NAME: Final = 120
_SIGNS: Final = {"incoming": 1, "outgoing": -1}
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}", re.ASCII)
_TIME: Final = re.compile(r"[0-9]{2}-[0-9]{2}-[0-9]{4} [0-9]{2}:[0-9]{2}", re.ASCII)


class _Fields(NamedTuple):
    name: str
    transaction_type: str
    amount: str
    balance: str
    time_of_transaction: str
    dynamic_balance: str
    nothing: str
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One good row; amounts in minor units, ``change`` negative for what went out."""

    line: int
    name: str
    username: str
    change: int
    balance: int
    paid_at: datetime


@dataclass(frozen=True, slots=True)
class SeedBooks:
    """The good rows of a file, in its order, and the refused ones with their reasons."""

    payments: Sequence[Payment]
    refused: Sequence[BadRow]


def read_seed_csv(path: Path) -> SeedBooks:
    """Read a file; nothing is written.

    Raises:
        UnreadableFile
    """
    payments, refused = [], []
    for line in read_table(path, columns=COLUMNS):
        try:
            payments.append(_payment(line))
        except BadField as bad:
            refused.append(bad.at(line.number))
    return SeedBooks(payments, refused)


def opening_balances(payments: Sequence[Payment], *, had: Mapping[str, int]) -> dict[str, int]:
    """Return what each user's account needs before these payments, in minor units.

    Users are in the order of the file. ``had`` is what is left on accounts of all that earlier
    loads posted there.
    """
    opening: dict[str, int] = {}
    moved = dict(had)
    for payment in payments:
        user = payment.username
        least = 0 if user in had else payment.balance
        moved[user] = moved.get(user, 0) + payment.change
        opening[user] = max(opening.get(user, least), -moved[user], 0)
    return opening


def load_seed_csv(books: SeedBooks, *, advance: Advance) -> None:
    """Add users and accounts, post the opening balances, then the payments in the file's order.

    Users and accounts come in one transaction, rows in one a chunk.

    Raises:
        BadRow: a row differs from what was loaded before; those before it are posted.
        Busy: what is missing comes with the next load.
    """
    first: dict[str, Payment] = {}
    for payment in books.payments:
        first.setdefault(payment.username, payment)
    accounts, bank = _add_users(first)
    nostro = bank.number(Place.NOSTRO)
    entries = [_entry(payment, accounts[payment.username], nostro) for payment in books.payments]
    opening = [
        Row(_opening(first[user], balance, accounts[user], nostro, nth=nth), None)
        for user, balance, nth in _missing_openings(books.payments, entries)
    ]
    load_rows(opening, bank=bank, advance=lambda _: None)
    load_rows([Row(entry, None) for entry in entries], bank=bank, advance=advance)


def _missing_openings(
    payments: Sequence[Payment], entries: Sequence[Entry]
) -> list[tuple[str, int, int]]:
    """Return what is to be posted before the entries: to whom, how much, and as which opening.

    What was posted before stands, also where corrected rows would have needed less.
    """
    recorded = recorded_entries(entries)
    # Asked for after the rows: another load posts them first.
    opened = _opened({payment.username for payment in payments})
    had = {user: sum(minors) for user, minors in opened.items()}
    coming = []
    for payment, entry in zip(payments, entries, strict=True):
        if entry.reference in recorded:
            user = payment.username
            had[user] = had.get(user, 0) + recorded[entry.reference].change
        else:
            coming.append(payment)
    return [
        (user, balance, len(opened[user]) + 1)
        for user, balance in opening_balances(coming, had=had).items()
        if balance
    ]


def _opened(users: Collection[str]) -> dict[str, list[int]]:
    """Return what users' accounts were opened with, and what was added later, in minor units."""
    opened: dict[str, list[int]] = defaultdict(list)
    for nth in count(1):
        references = {user: _opening_reference(user, nth) for user in users}
        found = transfers_under(list(references.values()), client=BANK_CLIENT)
        users = [user for user in users if references[user] in found]
        if not users:
            break
        for user in users:
            opened[user].append(found[references[user]].amount)
    return opened


def _opening_reference(user: str, nth: int) -> str:
    return f"seed-csv/{user}/opening" + (f"/{nth}" if nth > 1 else "")


@transaction.atomic
def _add_users(first: Mapping[str, Payment]) -> tuple[dict[str, int], BankAccounts]:
    lock_imports()
    branch = head_office()
    bank = open_chart(branch=branch.number, currency=CURRENCY)
    numbers = add_customers(
        Customers(
            people=[
                ImportedPerson(reference=f"seed-csv:user:{user}", full_name=payment.name)
                for user, payment in first.items()
            ],
            accounts=[
                ImportedAccount(reference=f"seed-csv:account:{user}", opened_at=payment.paid_at)
                for user, payment in first.items()
            ],
            holders=[
                ImportedHolder(
                    person=f"seed-csv:user:{user}",
                    account=f"seed-csv:account:{user}",
                    rights="owner",
                )
                for user in first
            ],
            currency=CURRENCY,
            overdraft_limit=0,
        ),
        branch=branch,
    )
    return {user: numbers[f"seed-csv:account:{user}"] for user in first}, bank


def _opening(payment: Payment, balance: int, account: int, nostro: int, *, nth: int) -> Entry:
    return Entry(
        line=payment.line,
        label=f"{payment.username} (opening balance)",
        account=account,
        counterparty=nostro,
        change=balance,
        currency=CURRENCY,
        kind=Kind.DEPOSIT,
        memo="Opening balance",
        event_at=payment.paid_at,
        reference=_opening_reference(payment.username, nth),
    )


def _entry(payment: Payment, account: int, nostro: int) -> Entry:
    return Entry(
        line=payment.line,
        label=payment.username,
        account=account,
        counterparty=nostro,
        change=payment.change,
        currency=CURRENCY,
        kind=Kind.TRANSFER,
        memo="Incoming payment" if payment.change > 0 else "Outgoing payment",
        event_at=payment.paid_at,
        reference=f"seed-csv/line/{payment.line}",
    )


def _payment(line: Line) -> Payment:
    if not any(line.fields):
        raise BadField(field="row", expected="a payment", found="a blank line")
    check_length(line.fields, COLUMNS)
    fields = _Fields(*line.fields)
    sign = _SIGNS[one_of(fields.transaction_type, _SIGNS, field="transaction_type")]
    amount = _rupees(fields.amount, "amount")
    if amount <= 0:
        raise BadField(field="amount", expected="more than zero", found=fields.amount)
    balance = _rupees(fields.balance, "balance")
    if balance + sign * amount != _rupees(fields.dynamic_balance, "dynamic_balance"):
        wanted = f"{fields.balance} {'+' if sign > 0 else '-'} {fields.amount}"
        raise BadField(field="dynamic_balance", expected=wanted, found=fields.dynamic_balance)
    if not fields.name.isprintable() or not 0 < len(fields.name) <= MOST_OF_NAME:
        raise BadField(
            field="name", expected="a name of up to 120 characters", found=repr(fields.name)
        )
    if not _USERNAME.fullmatch(fields.username):
        raise BadField(field="username", expected="a user name", found=repr(fields.username))
    return Payment(
        line=line.number,
        name=fields.name,
        username=fields.username,
        change=sign * amount,
        balance=balance,
        paid_at=_moment(fields.time_of_transaction),
    )


def _rupees(text: str, field: str) -> int:
    return minor_units(text, currency=CURRENCY, field=field)


def _moment(text: str) -> datetime:
    if _TIME.fullmatch(text):
        try:
            zone = ZoneInfo(settings.BANK_TIME_ZONE)
            return datetime.strptime(text, "%d-%m-%Y %H:%M").replace(tzinfo=zone)
        except ValueError:
            pass
    raise BadField(
        field="time_of_transaction", expected="a time DD-MM-YYYY HH:MM", found=repr(text)
    )
