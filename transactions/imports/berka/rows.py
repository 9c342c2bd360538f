"""The rows of a Berka transactions file, field by field."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings

from transactions.chart import BankAccounts, Place
from transactions.imports.berka.meaning import Meaning, meaning_of, sign_of
from transactions.imports.entries import Entry, Row
from transactions.imports.tables import (
    BadField,
    Line,
    check_length,
    day,
    minor_units,
    read_table,
    whole,
)

CURRENCY: Final = "CZK"
_ROUNDINGS: Final = (-10, 0, 10)
_BANK: Final = re.compile(r"(?:[A-Z]{2})?", re.ASCII)
_ACCOUNT: Final = re.compile(r"[0-9]{0,16}", re.ASCII)


class _Fields(NamedTuple):
    account_id: str
    seq: str
    date: str
    trans_id: str
    signed_amount: str
    balance: str
    rounding: str
    type: str
    operation: str
    k_symbol: str
    bank: str
    account: str


def read_transactions(path: Path) -> list[Line]:
    """Return the lines of a transactions file; blank ones are left out.

    Raises:
        UnreadableFile
    """
    return [line for line in read_table(path, columns=_Fields._fields) if line.fields]


def parse_transactions(
    lines: Sequence[Line], *, accounts: Mapping[str, int], bank: BankAccounts
) -> Iterator[Row]:
    """Yield the rows; ``accounts`` are the numbers of the accounts by their ids in the file.

    The rows of an account carry its numbers from 1 on without a gap.

    Raises:
        BadRow: the first that is not as it should be.
    """
    places = {place: bank.number(place) for place in Place}
    seen: Counter[str] = Counter()
    for line in lines:
        label = line.fields[0]
        seen[label] += 1
        try:
            fields = _checked(line, position=seen[label], accounts=accounts)
            entry = _entry(line.number, fields, account=accounts[label], places=places)
            balance = minor_units(fields.balance, currency=CURRENCY, field="balance")
        except BadField as bad:
            raise bad.at(line.number, account=label) from bad
        yield Row(entry, balance)


def _checked(line: Line, *, position: int, accounts: Mapping[str, int]) -> _Fields:
    check_length(line.fields, _Fields._fields)
    fields = _Fields(*line.fields)
    if fields.account_id not in accounts:
        raise BadField(
            field="account_id", expected="one of account.asc", found=repr(fields.account_id)
        )
    if whole(fields.seq, field="seq") != position:
        raise BadField(field="seq", expected=str(position), found=fields.seq)
    return fields


def row_after(row: Row) -> str:
    """Return the reference that the next row of the same account would have."""
    stem, _, position = row.entry.reference.rpartition("/")
    return f"{stem}/{int(position) + 1}"


def noon(of: date) -> datetime:
    """Return the instant for what is known by its day alone: noon in the bank's time zone.

    So the day is the file's own on every statement and in every report.
    """
    return datetime.combine(of, time(12), ZoneInfo(settings.BANK_TIME_ZONE))


@cache
def _instant(text: str) -> datetime:
    return noon(day(text, field="date"))


def _entry(line: int, fields: _Fields, *, account: int, places: Mapping[Place, int]) -> Entry:
    whole(fields.trans_id, field="trans_id")
    change = minor_units(fields.signed_amount, currency=CURRENCY, field="signed_amount")
    meaning = meaning_of(
        operation=fields.operation, k_symbol=fields.k_symbol, partner=_partner(fields)
    )
    _check_sign(fields, change, meaning)
    return Entry(
        line=line,
        label=fields.account_id,
        account=account,
        counterparty=places[meaning.place],
        change=change,
        currency=CURRENCY,
        kind=meaning.kind,
        memo=meaning.words,
        event_at=_instant(fields.date),
        reference=f"berka/{fields.account_id}/{fields.seq}",
        rounding=_rounding(fields.rounding),
    )


def _check_sign(fields: _Fields, change: int, meaning: Meaning) -> None:
    sign = sign_of(fields.type)
    if meaning.sign != sign:
        raise BadField(
            field="operation",
            expected=f"one that goes with {fields.type}",
            found=repr(fields.operation),
        )
    if change * sign <= 0:
        wanted = "more than zero" if sign > 0 else "less than zero"
        raise BadField(
            field="signed_amount",
            expected=f"{wanted} for {fields.type}",
            found=fields.signed_amount,
        )


def _rounding(text: str) -> int:
    rounding = minor_units(text, currency=CURRENCY, field="rounding")
    if rounding not in _ROUNDINGS:
        raise BadField(field="rounding", expected="-0.10, 0.00 or 0.10", found=text)
    return rounding


def _partner(fields: _Fields) -> str:
    """Return the other bank and account as people write them; account 0 stands for none."""
    if not _BANK.fullmatch(fields.bank):
        raise BadField(
            field="bank", expected="two capital letters or nothing", found=repr(fields.bank)
        )
    if not _ACCOUNT.fullmatch(fields.account):
        raise BadField(field="account", expected="digits or nothing", found=repr(fields.account))
    account = "" if fields.account == "0" else fields.account
    return f"{fields.bank} {account}".strip()
