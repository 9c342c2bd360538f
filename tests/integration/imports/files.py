"""Small files like those of the two banks, made by arithmetic of their own."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

HEADER: Final = (
    "account_id,seq,date,trans_id,signed_amount,balance,rounding,"
    "type,operation,k_symbol,bank,account"
)
SEED_HEADER: Final = (
    "name,transaction_type,amount,balance,time_of_transaction,dynamic_balance,,username"
)
SEQ: Final = 1
DATE: Final = 2
AMOUNT: Final = 4
BALANCE: Final = 5
ROUNDING: Final = 6
TYPE: Final = 7
OPERATION: Final = 8
SYMBOL: Final = 9

CZECH: Final = (
    ("PRIJEM", "VKLAD", "", "", ""),
    ("PRIJEM", "PREVOD Z UCTU", "DUCHOD", "AB", "41403269"),
    ("PRIJEM", "", "UROK", "", ""),
    ("VYDAJ", "VYBER", "", "", "0"),
    ("VYDAJ", "VYBER", "SLUZBY", "", ""),
    ("VYDAJ", "VYBER", "SANKC. UROK", "", ""),
    ("VYDAJ", "PREVOD NA UCET", "SIPO", "YZ", "71033382"),
    ("VYDAJ", "VYBER KARTOU", " ", "", ""),
    ("VYBER", "VYBER", "", "", ""),
)
ENGLISH: Final = {
    "PRIJEM": "credit",
    "VYDAJ": "withdrawal",
    "VKLAD": "credit in cash",
    "PREVOD Z UCTU": "collection from another bank",
    "VYBER KARTOU": "credit card withdrawal",
    "PREVOD NA UCET": "remittance to another bank",
    "UROK": "interest credited",
    "SLUZBY": "payment for statement",
    "SANKC. UROK": "sanction interest if negative balance",
    "SIPO": "household",
    "DUCHOD": "old-age pension",
}
INTEREST: Final = ("UROK", "SANKC. UROK")

Row = list[str]


def decimal(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02}"


def berka_rows(*, accounts: int = 3, rows: int = 20, seed: int = 1) -> list[Row]:
    """Return the rows of a transactions file: ``rows`` for each account, numbered from 1."""
    random = Random(seed)
    made = []
    for account in range(1, accounts + 1):
        balance = 0
        for seq in range(1, rows + 1):
            type_, operation, symbol, bank, partner = random.choice(CZECH)
            change = random.randrange(10, 50_000) * 10 * (1 if type_ == "PRIJEM" else -1)
            rounding = random.choice([-10, 10]) if symbol in INTEREST else 0
            balance += change + rounding
            made.append(
                [
                    str(account),
                    str(seq),
                    f"93{1 + seq // 28 % 12:02}{1 + seq % 28:02}",
                    str(1000 * account + seq),
                    decimal(change),
                    decimal(balance),
                    decimal(rounding),
                    type_,
                    operation,
                    symbol,
                    bank,
                    partner,
                ]
            )
    return made


def write_rows(path: Path, rows: Sequence[Row], *, quoted: bool = False) -> Path:
    """Write a transactions file."""
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(f"{HEADER}\n")
        mark = '"' if quoted else ""
        file.writelines(",".join(f"{mark}{field}{mark}" for field in row) + "\n" for row in rows)
    return path


def write_people(folder: Path, *, accounts: int = 3) -> Path:
    """Write the other files of a bank; the second client may use the first one's account too."""
    clients = [f'{n};"{"706213" if n % 2 else "450204"}";{69 if n % 2 else 1}' for n in range(1, 5)]
    clients += [f'{n};"600101";1' for n in range(5, accounts + 1)]
    opened = [f'{n};69;"POPLATEK MESICNE";930101' for n in range(1, accounts + 1)]
    owners = [f'{n};{n};{n};"OWNER"' for n in range(1, accounts + 1)]
    _write(
        folder / "district.asc",
        ";".join(f"A{n}" for n in range(1, 17)),
        '1;"Hl.m. Praha";"Prague";1204953;0;0;0;1;1;100.0;12541;0.29;0.43;167;85677;99107',
        '69;"Jesenik";"north Moravia";42821;4;13;5;1;3;48.4;8173;?;7.01;124;?;1358',
    )
    _write(folder / "client.asc", '"client_id";"birth_number";"district_id"', *clients)
    _write(folder / "account.asc", '"account_id";"district_id";"frequency";"date"', *opened)
    second = f'{accounts + 1};2;1;"DISPONENT"'
    _write(folder / "disp.asc", '"disp_id";"client_id";"account_id";"type"', *owners, second)
    _write(
        folder / "order.asc",
        '"order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol"',
        '29401;1;"YZ";"87144583";2452.00;"SIPO"',
        '29402;2;"ST";"89597016";3372.70;" "',
    )
    _write(
        folder / "card.asc",
        '"card_id";"disp_id";"type";"issued"',
        '1005;1;"classic";931107 00:00:00',
        f'104;{accounts + 1};"junior";940119 00:00:00',
    )
    return folder


def _write(path: Path, *lines: str) -> None:
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode("ascii"))


def renumbered(rows: list[Row]) -> list[Row]:
    """Return the rows with each account's numbers made right again."""
    seen: dict[str, int] = {}
    for row in rows:
        row[SEQ] = str(seen.setdefault(row[0], 0) + 1)
        seen[row[0]] += 1
    return rows


def _amount_changed(rows: list[Row], place: int) -> int:
    cents = int(rows[place][AMOUNT].replace(".", ""))
    rows[place][AMOUNT] = decimal(cents + 10)
    return place


def _sign_flipped(rows: list[Row], place: int) -> int:
    rows[place][AMOUNT] = decimal(-int(rows[place][AMOUNT].replace(".", "")))
    return place


def _dropped(rows: list[Row], place: int) -> int:
    del rows[place]
    return place


def _doubled(rows: list[Row], place: int) -> int:
    rows.insert(place, list(rows[place]))
    return place + 1


def _swapped(rows: list[Row], place: int) -> int:
    rows[place], rows[place + 1] = rows[place + 1], rows[place]
    return place


def _rounding_altered(rows: list[Row], place: int) -> int:
    rows[place][ROUNDING] = "0.00" if rows[place][ROUNDING] != "0.00" else "0.10"
    return place


Tampering = Callable[[list[Row], int], int]
"""Changes rows at a place and returns the place of the row at which that has to be found."""

TAMPERINGS: Final[dict[str, Tampering]] = {
    "an amount changed by 0.10": _amount_changed,
    "a sign flipped": _sign_flipped,
    "a row dropped": _dropped,
    "a row doubled": _doubled,
    "two rows swapped": _swapped,
    "a rounding altered": _rounding_altered,
}


def seed_rows(*, users: int = 3, rows: int = 60, seed: int = 1) -> list[Row]:
    """Return rows that are right one by one and do not follow from one another."""
    random = Random(seed)
    made = []
    for n in range(rows):
        user = random.randrange(users)
        kind = random.choice(["incoming", "outgoing"])
        balance, amount = random.randrange(100_000, 900_000), random.randrange(1, 100_000)
        after = balance + amount if kind == "incoming" else balance - amount
        moment = f"{1 + n // 1440 % 28:02}-01-2025 {n // 60 % 24:02}:{n % 60:02}"
        made.append(
            [
                f"User {user}",
                kind,
                decimal(amount),
                decimal(balance),
                moment,
                decimal(after),
                "",
                f"user.{user}",
            ]
        )
    return made


def write_seed(path: Path, rows: Sequence[Row]) -> Path:
    """Write a file of payments."""
    lines = [SEED_HEADER, *(",".join(row) for row in rows)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return path
