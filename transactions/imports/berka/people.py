"""The people, districts and accounts of the Berka files."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final, Literal

from accounts.models import District
from transactions.imports.berka.rows import CURRENCY, noon
from transactions.imports.people import (
    Customers,
    ImportedAccount,
    ImportedHolder,
    ImportedPerson,
)
from transactions.imports.tables import (
    BadField,
    UnreadableFile,
    day,
    one_of,
    parse_table,
    whole,
)

CLIENT_REFERENCE: Final = "berka:client:"
ACCOUNT_REFERENCE: Final = "berka:account:"
MONTHS_OF_WOMEN: Final = 50
_ACCOUNT: Final = ("account_id", "district_id", "frequency", "date")
_CLIENT: Final = ("client_id", "birth_number", "district_id")
DISPOSITION: Final = ("disp_id", "client_id", "account_id", "type")
_DISTRICT: Final = tuple(f"A{number}" for number in range(1, 17))
_FREQUENCIES: Final = ("POPLATEK MESICNE", "POPLATEK TYDNE", "POPLATEK PO OBRATU")
_DECIMAL: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,2})?", re.ASCII)
_RIGHTS: Final[dict[str, Literal["owner", "authorised"]]] = {
    "OWNER": "owner",
    "DISPONENT": "authorised",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A line of client.asc."""

    client_id: int
    birth_date: date
    district: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BerkaFiles:
    """What the four files about people and accounts say."""

    districts: Sequence[District]
    clients: Sequence[Client]
    accounts: Sequence[ImportedAccount]
    holders: Sequence[ImportedHolder]

    @property
    def account_ids(self) -> set[str]:
        """The ids of the accounts, as the files have them."""
        return {account.reference.removeprefix(ACCOUNT_REFERENCE) for account in self.accounts}

    def customers(self, districts: dict[int, int]) -> Customers:
        """Return what to add to the bank; ``districts`` are their keys by code. No floors."""
        people = [
            ImportedPerson(
                reference=f"{CLIENT_REFERENCE}{client.client_id}",
                full_name=f"Client {client.client_id}",
                birth_date=client.birth_date,
                district=districts[client.district],
            )
            for client in self.clients
        ]
        return Customers(
            people=people,
            accounts=self.accounts,
            holders=self.holders,
            currency=CURRENCY,
            overdraft_limit=None,
        )


def read_people(folder: Path) -> BerkaFiles:
    """Read and check district.asc, client.asc, account.asc and disp.asc.

    Raises:
        UnreadableFile: naming file, line and field.
    """
    districts = parse_table(folder / "district.asc", _DISTRICT, _district)
    codes = {district.code for district in districts}
    clients = parse_table(folder / "client.asc", _CLIENT, partial(_client, codes))
    accounts = parse_table(folder / "account.asc", _ACCOUNT, partial(_account, codes))
    people = {f"{CLIENT_REFERENCE}{client.client_id}" for client in clients}
    references = {account.reference for account in accounts}
    path = folder / "disp.asc"
    holders = parse_table(path, DISPOSITION, partial(_holder, people, references))
    _check_owners(path, references, holders)
    return BerkaFiles(districts=districts, clients=clients, accounts=accounts, holders=holders)


def _check_owners(path: Path, accounts: set[str], holders: Iterable[ImportedHolder]) -> None:
    owners = Counter(holder.account for holder in holders if holder.rights == "owner")
    for account in accounts:
        if owners[account] != 1:
            message = f"{path}: {account} has {owners[account]} owners, not one"
            raise UnreadableFile(message)


def add_districts(districts: Iterable[District]) -> dict[int, int]:
    """Add the districts that are missing and return the keys of all by code."""
    District.objects.bulk_create(districts, ignore_conflicts=True)
    return dict(District.objects.values_list("code", "pk"))


def birth_date(text: str) -> date:
    """Read a birth number YYMMDD; women have 50 added to their month."""
    month = text[2:4]
    if month.isascii() and month.isdigit() and int(month) > MONTHS_OF_WOMEN:
        return day(f"{text[:2]}{int(month) - MONTHS_OF_WOMEN:02}{text[4:]}", field="birth_number")
    return day(text, field="birth_number")


def _district_id(districts: set[int], text: str) -> int:
    code = whole(text, field="district_id")
    if code not in districts:
        raise BadField(field="district_id", expected="one of district.asc", found=text)
    return code


def _client(districts: set[int], fields: Sequence[str]) -> Client:
    return Client(
        client_id=whole(fields[0], field="client_id"),
        birth_date=birth_date(fields[1]),
        district=_district_id(districts, fields[2]),
    )


def _account(districts: set[int], fields: Sequence[str]) -> ImportedAccount:
    _district_id(districts, fields[1])
    one_of(fields[2], _FREQUENCIES, field="frequency")
    return ImportedAccount(
        reference=f"{ACCOUNT_REFERENCE}{whole(fields[0], field='account_id')}",
        opened_at=noon(day(fields[3], field="date")),
    )


def _holder(people: set[str], accounts: set[str], fields: Sequence[str]) -> ImportedHolder:
    person = f"{CLIENT_REFERENCE}{whole(fields[1], field='client_id')}"
    account = f"{ACCOUNT_REFERENCE}{whole(fields[2], field='account_id')}"
    if person not in people:
        raise BadField(field="client_id", expected="one of client.asc", found=fields[1])
    if account not in accounts:
        raise BadField(field="account_id", expected="one of account.asc", found=fields[2])
    rights = _RIGHTS[one_of(fields[3], _RIGHTS, field="type")]
    return ImportedHolder(person=person, account=account, rights=rights)


def _district(fields: Sequence[str]) -> District:
    figures = dict(zip(_DISTRICT, fields, strict=True))

    def count(column: str) -> int:
        return whole(figures[column], field=column)

    return District(
        code=count("A1"),
        name=figures["A2"],
        region=figures["A3"],
        inhabitants=count("A4"),
        municipalities_below_500=count("A5"),
        municipalities_below_2000=count("A6"),
        municipalities_below_10000=count("A7"),
        municipalities_above_10000=count("A8"),
        cities=count("A9"),
        urban_share=_decimal(figures["A10"], field="A10"),
        average_salary=count("A11"),
        unemployment_1995=None if figures["A12"] == "?" else _decimal(figures["A12"], field="A12"),
        unemployment_1996=_decimal(figures["A13"], field="A13"),
        entrepreneurs_per_1000=count("A14"),
        crimes_1995=None if figures["A15"] == "?" else count("A15"),
        crimes_1996=count("A16"),
    )


def _decimal(text: str, *, field: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise BadField(field=field, expected="a decimal number", found=repr(text))
    return Decimal(text)
