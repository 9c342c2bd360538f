"""Statements as MT940 (SWIFT), which the accounting of many firms reads."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from itertools import chain
from typing import Final

from core.clock import bank_day
from core.errors import DomainError
from core.money import Money
from transactions.selectors import Movement
from transactions.statements.whole import WholeStatement

# Plain C and D also for what takes something back: readers differ in how they sign RC and RD.
_TYPES: Final = {
    "transfer": "NTRF",
    "payment": "NTRF",
    "fee": "NCHG",
    "interest": "NINT",
    "penalty_interest": "NINT",
    "reversal": "NRTI",
}
_LONGEST_AMOUNT: Final = 15
_LINE: Final = 65
_MOST_LINES: Final = 6
_REFERENCE: Final = 16
_PARTIAL: Final = "Only some entries of these days, as was asked for: balances do not follow."
# All that SWIFT's character set X has.
_UNWRITABLE: Final = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
# What would be read as the beginning of a field or the end of the message.
_MARK: Final = re.compile(r"^[:\-]")


class AmountTooLongForMt940(DomainError):
    """MT940 has room for 15 characters of an amount, and the statement needs more."""

    code = "amount_too_long_for_mt940"

    def __init__(self) -> None:
        super().__init__(
            "An amount of this statement is longer than MT940 allows. Please choose another format."
        )


def mt940(statement: WholeStatement) -> Iterator[str]:
    """Return the file piece by piece; one that breaks off has no closing balance.

    It needs a statement with the oldest movement first.

    Raises:
        AmountTooLongForMt940
    """
    totals = statement.totals
    if any(
        len(_amount(one)) > _LONGEST_AMOUNT
        for one in (totals.opening, totals.coming, totals.going, totals.closing)
    ):
        raise AmountTooLongForMt940
    return map(_line_ended, _lines(statement))


def _lines(statement: WholeStatement) -> Iterator[str]:
    made, totals = statement.made_at, statement.totals
    movements = iter(statement.movements)
    first = next(movements, None)
    begun = statement.wanted.since or (first.recorded_at if first else made)
    end = min(statement.wanted.until or made, made)
    yield f":20:{made:%y%m%d%H%M%S}"
    yield f":25:{statement.account.number}"
    yield f":28C:{made:%y%j}/1"
    yield f":60F:{_balance(totals.opening, bank_day(min(begun, end)))}"
    for movement in chain([] if first is None else [first], movements):
        yield from _entry(movement)
    yield f":62F:{_balance(totals.closing, bank_day(end))}"
    if statement.is_partial:
        yield from _text(_PARTIAL)
    yield "-"


def _entry(movement: Movement) -> Iterator[str]:
    value, entry = bank_day(movement.event_at), bank_day(movement.recorded_at)
    side = "D" if movement.is_out else "C"
    kind = _TYPES.get(movement.kind, "NMSC")
    reference = movement.transfer_id.hex
    yield (
        f":61:{value:%y%m%d}{entry:%m%d}{side}{_amount(movement.change)}{kind}"
        f"NONREF//{reference[-_REFERENCE:].upper()}"
    )
    party = movement.counterparty
    words = (reference, movement.kind.upper(), party.number, party.name, movement.memo)
    yield from _text(" ".join(str(word) for word in words if word))


def _balance(amount: Money, on: date) -> str:
    side = "D" if amount.minor < 0 else "C"
    return f"{side}{on:%y%m%d}{amount.currency}{_amount(amount)}"


def _amount(amount: Money) -> str:
    """Write how much it is, whichever sign: always with a comma."""
    whole, _point, fraction = Money(abs(amount.minor), amount.currency).text.partition(".")
    return f"{whole},{fraction}"


def _text(words: str) -> Iterator[str]:
    """Yield the lines of information to the account's owner."""
    written = _written(words)
    places = range(0, min(len(written), _LINE * _MOST_LINES), _LINE)
    for place in places:
        line = _MARK.sub(".", written[place : place + _LINE])
        yield f":86:{line}" if place == 0 else line


def _written(words: str) -> str:
    """Write a text with what MT940 has: letters without accents, and points for the rest."""
    plain = (one for one in unicodedata.normalize("NFKD", words) if not unicodedata.combining(one))
    return _UNWRITABLE.sub(".", "".join(plain))


def _line_ended(line: str) -> str:
    return f"{line}\r\n"
