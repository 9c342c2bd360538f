"""Opening and governing accounts of the ledger. Each call is one statement."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, Literal

from transactions.ledger.connection import QUERIES, fetch_all, fetch_one, ledger_cursor

CREDIT_NORMAL: Literal[1] = 1
DEBIT_NORMAL: Literal[-1] = -1


class Purpose(StrEnum):
    """What an account is in the bank's books."""

    CUSTOMER = "customer"
    LOAN = "loan"
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


class Status(StrEnum):
    """Whether an account can be posted to. Closed is for good."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


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
    using: str = "default",
) -> None:
    """Give a person rights on an account, or with None take them away.

    Raises:
        Refused: there is no such account.
    """
    parameters = {"account": account, "user": user, "rights": rights, "client": client}
    fetch_one("set_holder", parameters, using)


def set_holders(holders: Sequence[Holder], *, client: int, using: str = "default") -> None:
    """Give people rights in one go; needs a transaction, or each stands for itself.

    Raises:
        Refused: there is no such account.
    """
    parameters = [{**asdict(holder), "client": client} for holder in holders]
    with ledger_cursor(using) as cursor:
        cursor.executemany(QUERIES["set_holder"], parameters)


def set_status(
    number: int, *, status: Status, client: int, reason: str, using: str = "default"
) -> None:
    """Freeze, unfreeze or close an account; closing needs balance zero and no open hold.

    Raises:
        Refused
    """
    parameters = {"number": number, "status": status, "client": client, "reason": reason}
    fetch_one("set_status", parameters, using)


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
