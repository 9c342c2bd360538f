"""Reading the ledger: balances, entries, transfers. Amounts in minor units of the currency."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from transactions.ledger.connection import fetch_all, fetch_one

LAST_ID: Final = UUID(int=(1 << 128) - 1)
"""After every transfer: where a listing that starts with the newest begins."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds. ``available`` is None where the account has no floor."""

    number: int
    currency: str
    purpose: str
    status: str
    balance: int
    held: int
    available: int | None
    overdraft_limit: int | None
    daily_limit: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One leg of a transfer as its account sees it; ``change`` is negative for what went out."""

    transfer_id: UUID
    change: int
    balance_after: int | None
    counterparty: int
    kind: str
    channel: str
    memo: str | None
    reference: str | None
    event_at: datetime
    recorded_at: datetime
    group_id: UUID | None
    currency: str


@dataclass(frozen=True, slots=True)
class PostedTransfer:
    """A transfer as the journal has it."""

    transfer_id: UUID
    debit: int
    credit: int
    amount: int
    currency: str
    debit_after: int | None
    credit_after: int | None
    kind: str
    channel: str
    memo: str | None
    reference: str | None
    event_at: datetime
    recorded_at: datetime
    group_id: UUID | None
    reversed_by: UUID | None
    reverses: UUID | None


@dataclass(frozen=True, slots=True)
class ReferencedTransfer:
    """A transfer that its client's own reference leads to."""

    reference: str
    transfer_id: UUID
    debit: int
    credit: int
    amount: int
    debit_after: int | None
    credit_after: int | None
    kind: str
    event_at: datetime


def balances(numbers: Collection[int], *, using: str = "default") -> list[Balance]:
    """Return the balances of these accounts, in the order of their numbers."""
    rows = fetch_all("balances", {"numbers": list(numbers)}, using)
    return [Balance(*row) for row in rows]


def balances_of(user: int, *, using: str = "default") -> list[Balance]:
    """Return the balances of all accounts that a person holds rights on."""
    return [Balance(*row) for row in fetch_all("accounts_of", {"user": user}, using)]


def rights_on(account: int, *, user: int, using: str = "default") -> str | None:
    """Return a person's rights on an account: ``owner``, ``authorised``, or None."""
    row = fetch_one("rights_on", {"user": user, "account": account}, using)
    return None if row is None else row.rights


def owners_of(accounts: Collection[int], *, using: str = "default") -> dict[int, int]:
    """Return the owner of each account that has one; of several the first."""
    rows = fetch_all("owners_of", {"accounts": list(accounts)}, using)
    return {row.account: row.user_id for row in rows}


def balance_at(number: int, *, at: datetime, using: str = "default") -> int:
    """Return an account's balance by all that was recorded before a past instant.

    Waits for postings in flight on a running account, so that the answer never changes; on a
    summed one, which nobody locks, those in flight may still come to count.

    Raises:
        Refused: no such account, or an instant that is not past.
    """
    return int(fetch_one("balance_at", {"number": number, "at": at}, using)[0])


def entries(
    account: int, *, before: UUID = LAST_ID, limit: int = 50, using: str = "default"
) -> list[Entry]:
    """Return up to ``limit`` entries of an account, newest first, older than ``before``."""
    parameters = {"account": account, "before": before, "limit": limit}
    return [Entry(*row) for row in fetch_all("entries", parameters, using)]


def transfer(transfer_id: UUID, *, using: str = "default") -> PostedTransfer | None:
    """Return a transfer by its id, or None."""
    row = fetch_one("transfer", {"id": transfer_id}, using)
    return None if row is None else PostedTransfer(*row)


def transfers_under(
    references: Collection[str], *, client: int, using: str = "default"
) -> dict[str, ReferencedTransfer]:
    """Return the transfers that a client posted under these references, by reference."""
    parameters = {"client": client, "references": list(references)}
    rows = fetch_all("transfers_under", parameters, using)
    return {row.reference: ReferencedTransfer(*row) for row in rows}
