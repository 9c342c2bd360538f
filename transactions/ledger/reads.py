"""Reading the ledger: balances, entries, transfers. Amounts in minor units of the currency."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from transactions.ledger.connection import fetch_all, fetch_as, fetch_one

LAST_ID: Final = UUID(int=(1 << 128) - 1)
"""After every transfer: where a listing that starts with the newest begins."""
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds. ``available`` is None where the account has no floor.

    ``before``, where it is known: all that made the balance has ids before it.
    """

    number: int
    currency: str
    purpose: str
    status: str
    balance: int
    held: int
    available: int | None
    overdraft_limit: int | None
    daily_limit: int | None
    before: UUID | None = None


class Entry(NamedTuple):
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
    is_across: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries or transfers are wanted; what is None is left open.

    ``since`` and ``until`` are of the recording, from the one to just before the other, and the
    values' of when it happened. ``direction``, of one account's entries, is ``in`` or ``out``.
    ``least`` and ``most`` are minor units. ``text`` is a part of the memo, in whatever case.
    """

    since: datetime | None = None
    until: datetime | None = None
    value_since: datetime | None = None
    value_until: datetime | None = None
    direction: str | None = None
    least: int | None = None
    most: int | None = None
    kind: str | None = None
    text: str | None = None


EVERYTHING: Final = EntryFilter()


@dataclass(frozen=True, slots=True)
class Decision:
    """That a transfer left its node, by the id that both nodes have for it, and where to."""

    crossing_id: UUID
    destination: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Money set aside; ``state`` is open, captured, released or expired, as it is now."""

    hold_id: UUID
    account: int
    payee: int
    amount: int
    currency: str
    captured: int
    state: str
    memo: str | None
    placed_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    transfer_id: UUID | None


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


def balance_of(user: int, *, number: int, using: str = "default") -> Balance | None:
    """Return the balance of an account if a person holds rights on it here, or None."""
    row = fetch_one("account_of", {"user": user, "number": number}, using)
    return None if row is None else Balance(*row)


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
    account: int,
    *,
    before: UUID = LAST_ID,
    limit: int = 50,
    wanted: EntryFilter = EVERYTHING,
    using: str = "default",
) -> list[Entry]:
    """Return up to ``limit`` entries of an account, newest first, older than ``before``."""
    parameters = {"account": account, "before": before, "limit": limit, **conditions_of(wanted)}
    return fetch_as(Entry, "entries", parameters, using)


def transfers_of(
    accounts: Collection[int],
    *,
    before: UUID,
    limit: int,
    wanted: EntryFilter = EVERYTHING,
    using: str = "default",
) -> list[PostedTransfer]:
    """Return up to ``limit`` transfers from and to accounts, newest first, older than ``before``.

    What goes from one of them to another comes once, as it was paid.
    """
    parameters = {
        "accounts": list(accounts),
        "before": before,
        "limit": limit,
        **conditions_of(wanted),
    }
    return [PostedTransfer(*row) for row in fetch_all("transfers_of", parameters, using)]


def transfer(transfer_id: UUID, *, using: str = "default") -> PostedTransfer | None:
    """Return a transfer by its id, or None."""
    row = fetch_one("transfer", {"id": transfer_id}, using)
    return None if row is None else PostedTransfer(*row)


def decision_of(transfer_id: UUID, *, using: str = "default") -> Decision | None:
    """Return the decision under which a transfer left this node; None when it did not."""
    row = fetch_one("decision_of", {"id": transfer_id}, using)
    return None if row is None else Decision(*row)


def has_arrived(crossing_id: UUID, *, using: str = "default") -> bool:
    """Tell whether what left another node has come here."""
    return bool(fetch_one("has_arrived", {"id": crossing_id}, using)[0])


def hold(hold_id: UUID, *, using: str = "default") -> Hold | None:
    """Return a hold by its id, or None."""
    row = fetch_one("hold_by_id", {"id": hold_id}, using)
    return None if row is None else Hold(*row)


def holds_of(
    accounts: Collection[int],
    *,
    before: UUID,
    limit: int,
    state: str | None = None,
    using: str = "default",
) -> list[Hold]:
    """Return up to ``limit`` holds of accounts and for them, newest first, before ``before``."""
    parameters = {"accounts": list(accounts), "before": before, "limit": limit, "state": state}
    return [Hold(*row) for row in fetch_all("holds_of", parameters, using)]


def keys_used(keys: Collection[str], *, client: int, using: str = "default") -> set[str]:
    """Return those of some idempotency keys that a client has used here."""
    rows = fetch_all("keys_used", {"client": client, "keys": list(keys)}, using)
    return {row.key for row in rows}


def transfers_under(
    references: Collection[str], *, client: int, using: str = "default"
) -> dict[str, ReferencedTransfer]:
    """Return the transfers that a client posted under these references, by reference."""
    parameters = {"client": client, "references": list(references)}
    rows = fetch_all("transfers_under", parameters, using)
    return {row.reference: ReferencedTransfer(*row) for row in rows}


def conditions_of(wanted: EntryFilter) -> dict[str, Any]:
    """Return a filter as parameters of the queries that take one."""
    return {
        "since": wanted.since or _BEGINNING,
        "until": wanted.until or _END,
        "value_since": wanted.value_since,
        "value_until": wanted.value_until,
        "direction": wanted.direction,
        "least": wanted.least,
        "most": wanted.most,
        "kind": wanted.kind,
        "text": wanted.text,
    }
