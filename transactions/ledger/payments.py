"""What pages show before money is sent: limits, who was paid when, what was sent alike."""

from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from core.db.sql import queries
from core.money import Money
from transactions.ledger.accounts import Limits
from transactions.ledger.connection import ledger_cursor

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "payments.sql")
_NEWEST: Final = 1_000
_MOST_ALIKE: Final = 5


def limits_held_by(user: int, *, day: date, using: str = "default") -> list[Limits]:
    """Return the limits of all accounts on which a person holds rights here."""
    with ledger_cursor(using) as cursor:
        rows = cursor.execute(_QUERIES["limits_held_by"], {"user": user, "day": day}).fetchall()
    return [Limits(*row) for row in rows]


def last_paid(
    accounts: Collection[int], *, payees: Collection[int], using: str = "default"
) -> list[tuple[int, UUID]]:
    """Return the last transfer to each payee among the newest thousand of each account here."""
    parameters = {"accounts": list(accounts), "payees": list(payees), "newest": _NEWEST}
    with ledger_cursor(using) as cursor:
        rows = cursor.execute(_QUERIES["last_paid"], parameters).fetchall()
    return [(row.payee, row.id) for row in rows]


def sent_alike(
    accounts: Collection[int],
    *,
    payee: int,
    amount: Money,
    since: datetime,
    using: str = "default",
) -> list[UUID]:
    """Return the newest transfers of the very amount to a payee since an instant, not reversed."""
    parameters = {
        "accounts": list(accounts),
        "payee": payee,
        "amount": amount.minor,
        "since": since,
        "most": _MOST_ALIKE,
    }
    with ledger_cursor(using) as cursor:
        rows = cursor.execute(_QUERIES["sent_alike"], parameters).fetchall()
    return [row.id for row in rows]
