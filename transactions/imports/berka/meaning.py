"""What the words of a Berka transaction mean, in Czech and in English.

`k_symbol` says what a transaction is for. Some of it is the bank's own business (interest, fees)
and decides alone; else `operation` says how the money moved, and `k_symbol` goes into the memo.
"""

from dataclasses import dataclass
from typing import Final, Literal

from transactions.chart import Place
from transactions.imports.tables import BadField, one_of
from transactions.ledger.posting import Kind


@dataclass(frozen=True, slots=True)
class Meaning:
    """Where the money comes from (sign 1) or goes to (-1), as what, in words for people."""

    sign: Literal[1, -1]
    place: Place
    kind: Kind
    words: str


_SIGNS: Final[dict[str, Literal[1, -1]]] = {
    "PRIJEM": 1,
    "credit": 1,
    "VYDAJ": -1,
    "VYBER": -1,
    "withdrawal": -1,
    "withdrawal in cash": -1,
}
_DEPOSIT: Final = Meaning(1, Place.VAULT, Kind.DEPOSIT, "Cash deposit")
_WITHDRAWAL: Final = Meaning(-1, Place.VAULT, Kind.WITHDRAWAL, "Cash withdrawal")
_BY_CARD: Final = Meaning(-1, Place.VAULT, Kind.WITHDRAWAL, "Cash withdrawal by card")
_FROM_BANK: Final = Meaning(1, Place.NOSTRO, Kind.TRANSFER, "Transfer from another bank")
_TO_BANK: Final = Meaning(-1, Place.NOSTRO, Kind.TRANSFER, "Transfer to another bank")
_OPERATIONS: Final[dict[str, Meaning | None]] = {
    "": None,
    "VKLAD": _DEPOSIT,
    "credit in cash": _DEPOSIT,
    "VYBER": _WITHDRAWAL,
    "withdrawal in cash": _WITHDRAWAL,
    "VYBER KARTOU": _BY_CARD,
    "credit card withdrawal": _BY_CARD,
    "PREVOD Z UCTU": _FROM_BANK,
    "collection from another bank": _FROM_BANK,
    "PREVOD NA UCET": _TO_BANK,
    "remittance to another bank": _TO_BANK,
}
_INTEREST: Final = Meaning(1, Place.INTEREST_EXPENSE, Kind.INTEREST, "Interest")
_FEE: Final = Meaning(-1, Place.FEE_INCOME, Kind.FEE, "Fee for statements")
_PENALTY: Final = Meaning(
    -1, Place.INTEREST_INCOME, Kind.PENALTY_INTEREST, "Penalty interest on a negative balance"
)
_BUSINESS: Final = {
    "UROK": _INTEREST,
    "interest credited": _INTEREST,
    "SLUZBY": _FEE,
    "payment for statement": _FEE,
    "SANKC. UROK": _PENALTY,
    "sanction interest if negative balance": _PENALTY,
}
_FOR: Final = {
    "": "",
    "SIPO": "household",
    "household": "household",
    "POJISTNE": "insurance",
    "insurance payment": "insurance",
    "insurrance payment": "insurance",  # as the English edition writes it
    "DUCHOD": "pension",
    "old-age pension": "pension",
    "UVER": "loan",
    "loan payment": "loan",
    "LEASING": "leasing",
    "leasing": "leasing",
}


def sign_of(type_: str) -> Literal[1, -1]:
    """Return what a row of this type does to the balance: 1 adds, -1 takes."""
    return _SIGNS[one_of(type_, _SIGNS, field="type")]


def meaning_of(*, operation: str, k_symbol: str, partner: str) -> Meaning:
    """Return what a row is; ``partner`` is the other bank and account, if any."""
    how = _OPERATIONS[one_of(operation, _OPERATIONS, field="operation")]
    symbol = one_of(k_symbol.strip(" "), [*_BUSINESS, *_FOR], field="k_symbol")
    if symbol in _BUSINESS:
        # Fees are booked as withdrawals in cash, and interest without any operation.
        if how not in (None, _WITHDRAWAL):
            raise BadField(field="operation", expected=f"none for {symbol}", found=repr(operation))
        return _BUSINESS[symbol]
    if how is None:
        raise BadField(field="operation", expected="how the money moved", found=repr(operation))
    return Meaning(how.sign, how.place, how.kind, _words(how, partner, symbol))


def to_bank(*, partner: str, k_symbol: str) -> str:
    """Return in words what a payment to an account at another bank is for."""
    return _words(_TO_BANK, partner, one_of(k_symbol.strip(" "), _FOR, field="k_symbol"))


def _words(how: Meaning, partner: str, symbol: str) -> str:
    about = [part for part in (partner, _FOR[symbol]) if part]
    return f"{how.words}: {', '.join(about)}" if about else how.words
