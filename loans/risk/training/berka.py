"""Loans of the Czech bank whose files carry the name Berka, as they were applied for."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final

from loans.risk.fairness import age_group
from loans.risk.features import Application, Features, Movement, NoHistory, features_of
from loans.risk.training.datasets import Loans
from transactions.imports.tables import (
    BadField,
    Line,
    UnreadableFile,
    check_length,
    day,
    minor_units,
    one_of,
    parse_table,
    read_table,
    whole,
)

HISTORIES: Final = ("trans_ordered.csv", "loan_histories.csv")
_LOAN: Final = ("loan_id", "account_id", "date", "amount", "duration", "payments", "status")
_DISPOSITION: Final = ("disp_id", "client_id", "account_id", "type")
_CLIENT: Final = ("client_id", "birth_number", "district_id")
_MOVEMENT: Final = (
    "account_id",
    "seq",
    "date",
    "trans_id",
    "signed_amount",
    "balance",
    "rounding",
    "type",
    "operation",
    "k_symbol",
    "bank",
    "account",
)
_BAD: Final = ("B", "D")
_STATUSES: Final = ("A", "B", "C", "D", "")
_EARNED: Final = ("UROK", "interest credited")
_PENALTY: Final = ("SANKC. UROK", "sanction interest if negative balance")
_WOMEN: Final = 50

minor = partial(minor_units, currency="CZK")


@dataclass(frozen=True, slots=True, kw_only=True)
class BerkaLoan:
    """A line of loan.asc; ``bad`` is None where nobody knows yet."""

    loan_id: str
    account_id: str
    applied_on: date
    amount: int
    months: int
    instalment: int
    bad: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who owns an account, as far as fairness is measured over it."""

    born: date
    woman: bool
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLoan:
    """A loan with its features, None where nothing moved before it, and its owner."""

    loan: BerkaLoan
    part: int
    features: Features | None
    owner: Owner


def training_loans(folder: Path) -> Loans:
    """Return the loans whose outcome and earlier movements are known.

    Raises:
        UnreadableFile
    """
    found = list(known_loans(folder))
    usable = [known for known in found if known.loan.bad is not None and known.features is not None]
    return Loans(
        name="berka",
        ids=[known.loan.loan_id for known in usable],
        rows=[known.features or {} for known in usable],
        bad=[bool(known.loan.bad) for known in usable],
        parts=[known.part for known in usable],
        groups={
            "age": [age_group(known.owner.born, on=known.loan.applied_on) for known in usable],
            "gender": ["woman" if known.owner.woman else "man" for known in usable],
        },
        left_out={
            "no earlier movements": sum(known.features is None for known in found),
            "outcome unknown": sum(known.loan.bad is None for known in found),
        },
    )


def known_loans(folder: Path) -> Iterator[KnownLoan]:
    """Yield every loan of the folder, in the order of loan.asc.

    Raises:
        UnreadableFile
    """
    owners = _owners(folder)
    movements = [_movements(folder / name) for name in HISTORIES]
    for loan in parse_table(folder / "loan.asc", _LOAN, _loan):
        if loan.account_id not in owners:
            message = f"{folder / 'loan.asc'}: account {loan.account_id} has no owner in disp.asc"
            raise UnreadableFile(message)
        part = int(loan.account_id in movements[1])
        owner = owners[loan.account_id]
        history = movements[part].get(loan.account_id, [])
        yield KnownLoan(loan=loan, part=part, owner=owner, features=_features(loan, owner, history))


def _features(loan: BerkaLoan, owner: Owner, history: Sequence[Movement]) -> Features | None:
    try:
        return features_of(
            Application(
                applied_on=loan.applied_on,
                requested=loan.amount,
                offered=loan.amount,
                months=loan.months,
                instalment=loan.instalment,
                rate_ppm=0,
                second_holder=owner.shared,
                movements=history,
            )
        )
    except NoHistory:
        return None


def _loan(fields: Sequence[str]) -> BerkaLoan:
    loan_id, account_id, applied, amount, months, payments, status = fields
    one_of(status, _STATUSES, field="status")
    return BerkaLoan(
        loan_id=str(whole(loan_id, field="loan_id")),
        account_id=str(whole(account_id, field="account_id")),
        applied_on=day(applied, field="date"),
        amount=_above_zero(minor(amount, field="amount"), field="amount"),
        months=_above_zero(whole(months, field="duration"), field="duration"),
        instalment=_above_zero(minor(payments, field="payments"), field="payments"),
        bad=status in _BAD if status else None,
    )


def _above_zero(number: int, *, field: str) -> int:
    if number <= 0:
        raise BadField(field=field, expected="more than zero", found=str(number))
    return number


def _movements(path: Path) -> dict[str, list[Movement]]:
    lines = [line for line in read_table(path, columns=_MOVEMENT) if line.fields]
    found: dict[str, list[Movement]] = defaultdict(list)
    for account_id, of_account in groupby(lines, key=lambda line: line.fields[0]):
        found[account_id].extend(_movement(path, line) for line in of_account)
    return found


def _movement(path: Path, line: Line) -> Movement:
    try:
        check_length(line.fields, _MOVEMENT)
        _account, _seq, of, _id, amount, balance, _rounding, _type, _how, symbol, *_ = line.fields
        return Movement(
            day=day(of, field="date"),
            amount=minor(amount, field="signed_amount"),
            balance=minor(balance, field="balance"),
            earned=symbol in _EARNED,
            penalty=symbol in _PENALTY,
        )
    except BadField as bad:
        message = f"{path}, {bad.at(line.number).message}"
        raise UnreadableFile(message) from bad


def _owners(folder: Path) -> Mapping[str, Owner]:
    people = dict(parse_table(folder / "client.asc", _CLIENT, _person))
    held: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for account_id, client_id, right in parse_table(
        folder / "disp.asc", _DISPOSITION, lambda fields: (fields[2], fields[1], fields[3])
    ):
        held[account_id].append((right, client_id))
    owners = {}
    for account_id, holders in held.items():
        client = next((client for right, client in holders if right == "OWNER"), None)
        if client in people:
            born, woman = people[client]
            owners[account_id] = Owner(born=born, woman=woman, shared=len(holders) > 1)
    return owners


def _person(fields: Sequence[str]) -> tuple[str, tuple[date, bool]]:
    client_id, number, _district = fields
    woman = number[2:4].isdigit() and int(number[2:4]) > _WOMEN
    written = f"{number[:2]}{int(number[2:4]) - _WOMEN:02}{number[4:]}" if woman else number
    return client_id, (day(written, field="birth_number"), woman)
