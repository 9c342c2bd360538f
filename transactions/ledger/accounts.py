"""Opening and governing accounts of the ledger. Each call is one statement."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from psycopg.types.json import Jsonb

from transactions.ledger.connection import QUERIES, fetch_all, fetch_one, ledger_cursor

CREDIT_NORMAL: Literal[1] = 1
DEBIT_NORMAL: Literal[-1] = -1


class Purpose(StrEnum):
    """What an account is in the bank's books."""

    CUSTOMER = "customer"
    LOAN = "loan"
    LOAN_DUES = "loan_dues"
    TILL = "till"
    MACHINE = "machine"
    VAULT = "vault"
    NOSTRO = "nostro"
    CLEARING = "clearing"
    FEE_INCOME = "fee_income"
    INTEREST_INCOME = "interest_income"
    INTEREST_EXPENSE = "interest_expense"
    ROUNDING = "rounding"
    SUSPENSE = "suspense"
    IMPAIRMENT = "impairment"
    RECOVERY_INCOME = "recovery_income"


LOANS: Final = frozenset({Purpose.LOAN, Purpose.LOAN_DUES})


class Status(StrEnum):
    """Whether an account can be posted to. Closed is for good."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


class Limit(StrEnum):
    """What bounds an account: what it may owe, spend in a day, and spend by one transfer."""

    OVERDRAFT = "overdraft_limit"
    DAILY = "daily_limit"
    TRANSFER = "transfer_limit"


MOVED: Final = "moved"
"""The status of the row that an account leaves behind where it lived before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An account to open. Limits in minor units; without an overdraft limit there is no floor."""

    number: int
    currency: str
    purpose: Purpose
    side: Literal[1, -1] = CREDIT_NORMAL
    running: bool = True
    overdraft_limit: int | None = 0
    daily_limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOpening:
    """A customer's account to open, with what the head office is to know of it."""

    number: int
    currency: str
    product: str
    opened_at: datetime
    owner: int | None = None
    name: str = ""
    external_reference: str | None = None
    overdraft_limit: int | None = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What of an account the head office has a copy of: its status, and its holders' rights."""

    status: str
    holders: Mapping[int, str]

    def __str__(self) -> str:
        """Name both."""
        held = ", ".join(f"user {user} {rights}" for user, rights in sorted(self.holders.items()))
        return f"{self.status}, held by {held or 'nobody'}"


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a customer's account, in minor units, and what it has spent on the day.

    None: no bound.
    """

    number: int
    currency: str
    status: str
    overdraft_limit: int | None
    daily_limit: int | None
    transfer_limit: int | None
    spent: int

    def of(self, limit: Limit) -> int | None:
        """Return one of the limits."""
        return {
            Limit.OVERDRAFT: self.overdraft_limit,
            Limit.DAILY: self.daily_limit,
            Limit.TRANSFER: self.transfer_limit,
        }[limit]


@dataclass(frozen=True, slots=True)
class Holder:
    """A person with rights on an account."""

    account: int
    user: int
    rights: Literal["owner", "authorised"]


def open_account(opening: Opening, *, client: int, using: str = "default") -> bool:
    """Open an account at balance zero; False when the very same is open already.

    Raises:
        Refused: another account has the number.
    """
    return bool(fetch_one("open", {**asdict(opening), "client": client}, using)[0])


def open_accounts(openings: Sequence[Opening], *, client: int, using: str = "default") -> None:
    """Open many accounts in one go; needs a transaction, or each stands for itself.

    Raises:
        Refused: another account has one of the numbers.
    """
    parameters = [{**asdict(opening), "client": client} for opening in openings]
    with ledger_cursor(using) as cursor:
        cursor.executemany(QUERIES["open"], parameters)


def open_customer(
    opening: CustomerOpening, *, client: int, key: str | None, using: str = "default"
) -> int:
    """Open a customer's account and return its number: of the first time, under the same key.

    Raises:
        Refused: the number is taken, or the key stands for another request.
    """
    parameters = {**asdict(opening), "client": client, "key": key}
    return int(fetch_one("open_customer", parameters, using)[0])


def open_customers(
    openings: Sequence[CustomerOpening], *, client: int, using: str = "default"
) -> None:
    """Open many customers' accounts in one go; needs a transaction, or each stands for itself.

    Raises:
        Refused: one of the numbers is taken.
    """
    parameters = [{**asdict(opening), "client": client, "key": None} for opening in openings]
    with ledger_cursor(using) as cursor:
        cursor.executemany(QUERIES["open_customer"], parameters)


def openings_of(numbers: Collection[int], *, using: str = "default") -> list[CustomerOpening]:
    """Return how customers' accounts were opened here, without their owners."""
    rows = fetch_all("openings", {"numbers": list(numbers)}, using)
    return [CustomerOpening(**row._asdict()) for row in rows]


def standings_of(numbers: Collection[int], *, using: str = "default") -> dict[int, Standing]:
    """Return how those of the accounts stand that are customers' and here."""
    return {
        row.number: Standing(row.status, dict(zip(row.people, row.rights, strict=True)))
        for row in fetch_all("standings", {"numbers": list(numbers)}, using)
    }


def customers_after(number: int, *, limit: int, using: str = "default") -> list[int]:
    """Return the numbers of the next customers' accounts that live here, ascending."""
    rows = fetch_all("customers_after", {"after": number, "limit": limit}, using)
    return [row.number for row in rows]


@contextmanager
def changed_accounts(reader: str, *, using: str = "default") -> Iterator[list[int]]:
    """Yield the accounts changed since the ``reader`` last came, and note that when all goes well.

    Opens the transaction in which the reader's place is locked; another of its name waits.

    Raises:
        Refused: the place is another server's (after a restore).
    """
    with transaction.atomic(using=using, durable=True):
        fetch_one("lock_tail", {"name": reader}, using)
        changes = fetch_all("changed_accounts", {"name": reader}, using)
        yield sorted({change.account for change in changes})
        if changes:
            place = {"name": reader, "tx": changes[-1].tx, "id": UUID(int=0)}
            fetch_one("advance_tail", place, using)


def next_serial(*, using: str = "default") -> int:
    """Return a serial that no account of this node has had."""
    return next_serials(1, using=using)[0]


def next_serials(count: int, *, using: str = "default") -> list[int]:
    """Return ``count`` serials that no account of this node has had, ascending."""
    return [int(row[0]) for row in fetch_all("next_serials", {"count": count}, using)]


def lock_imports(*, using: str = "default") -> None:
    """Wait until no other import writes to the node; the lock goes with the open transaction."""
    fetch_one("lock_imports", {}, using)


def set_holder(
    account: int,
    *,
    user: int,
    rights: Literal["owner", "authorised"] | None,
    client: int,
    key: str | None = None,
    using: str = "default",
) -> bool:
    """Give a person rights on an account, or with None take them away; once for each key.

    False: it was done before, under the same key.

    Raises:
        Refused: there is no such account, or it is closed, or has moved.
    """
    parameters = {"account": account, "user": user, "rights": rights}
    return bool(fetch_one("set_holder", {**parameters, "client": client, "key": key}, using)[0])


def set_holders(holders: Sequence[Holder], *, client: int, using: str = "default") -> None:
    """Give people rights in one go; needs a transaction, or each stands for itself.

    Raises:
        Refused: there is no such account.
    """
    parameters = [{**asdict(holder), "client": client, "key": None} for holder in holders]
    with ledger_cursor(using) as cursor:
        cursor.executemany(QUERIES["set_holder"], parameters)


def set_status(
    number: int,
    *,
    status: Status,
    client: int,
    reason: str,
    key: str | None = None,
    using: str = "default",
) -> bool:
    """Freeze, unfreeze or close an account; closing needs balance zero and no open hold.

    False: it was done before, under the same key.

    Raises:
        Refused
    """
    parameters = {"number": number, "status": status, "client": client, "reason": reason}
    return bool(fetch_one("set_status", {**parameters, "key": key}, using)[0])


def set_limits(
    number: int,
    *,
    overdraft_limit: int | None,
    daily_limit: int | None,
    client: int,
    reason: str,
    using: str = "default",
) -> None:
    """Set what an account may owe and spend in a day, in minor units; None: no bound.

    Raises:
        Refused
    """
    parameters = {
        "number": number,
        "overdraft_limit": overdraft_limit,
        "daily_limit": daily_limit,
        "client": client,
        "reason": reason,
    }
    fetch_one("set_limits", parameters, using)


def change_limits(  # noqa: PLR0913  # a change is what these are
    number: int,
    *,
    limits: Mapping[Limit, int | None],
    is_lowering: bool,
    client: int,
    key: str | None,
    reason: str,
    using: str = "default",
) -> bool:
    """Set the limits named, in minor units (None: no bound), once for each key; others stay.

    With ``is_lowering`` none is raised, whatever it has become meanwhile. False: it was done
    before, under the same key.

    Raises:
        Refused
    """
    parameters = {
        "number": number,
        "limits": Jsonb(dict(limits)),
        "is_lowering": is_lowering,
        "client": client,
        "key": key,
        "reason": reason,
    }
    return bool(fetch_one("change_limits", parameters, using)[0])


def limits_of(number: int, *, day: date, using: str = "default") -> Limits | None:
    """Return the limits of a customer's account, or None: there is no such account here."""
    row = fetch_one("limits", {"number": number, "day": day}, using)
    return None if row is None else Limits(*row)


def set_payee_limit(
    number: int,
    *,
    payee: int,
    daily_limit: int | None,
    client: int,
    reason: str,
    using: str = "default",
) -> None:
    """Set what an account may pay to one payee in a day; None lifts the limit.

    Raises:
        Refused
    """
    parameters = {
        "number": number,
        "payee": payee,
        "daily_limit": daily_limit,
        "client": client,
        "reason": reason,
    }
    fetch_one("set_payee_limit", parameters, using)
