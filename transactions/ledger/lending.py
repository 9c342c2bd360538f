"""What the ledger knows of loans. Amounts in minor units."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.db.sql import queries
from transactions.ledger.connection import ledger_cursor

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "lending.sql")


def owed_by_kind(
    accounts: Collection[int], *, using: str = "default"
) -> Mapping[int, Mapping[str, int]]:
    """Return what is owed on accounts of loans here, by account and kind of transfer."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for row in _rows("owed", {"accounts": list(accounts)}, using):
        found[row.account][row.kind] = row.minor
    return found


def balances_of(accounts: Collection[int], *, using: str = "default") -> dict[int, int]:
    """Return the balances of those of the accounts that are here."""
    rows = _rows("balances_of_loans", {"accounts": list(accounts)}, using)
    return {row.number: row.balance for row in rows}


def balances_before(
    untils: Collection[datetime], *, accounts: Collection[int], using: str = "default"
) -> dict[tuple[int, datetime], int]:
    """Return the balances that accounts here had by all that happened before some instants."""
    parameters = {"accounts": list(accounts), "untils": list(untils)}
    rows = _rows("balances_before", parameters, using)
    return {(row.number, row.until): row.balance for row in rows}


def loans_in_the_books(*, using: str = "default") -> dict[int, int]:
    """Return the accounts of loans on a node that are not at zero, with their balances."""
    return {row.number: row.balance for row in _rows("loans_in_the_books", {}, using)}


def _rows(name: str, parameters: Mapping[str, Any], using: str) -> list[Any]:
    with ledger_cursor(using) as cursor:
        return cursor.execute(_QUERIES[name], parameters).fetchall()
