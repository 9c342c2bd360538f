"""Opening and governing accounts of the ledger. Each call is one statement."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from transactions.ledger.connection import fetch_one

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


def open_account(opening: Opening, *, client: int, using: str = "default") -> bool:
    """Open an account at balance zero; False when the very same is open already.

    Raises:
        Refused: another account has the number.
    """
    parameters = {
        "number": opening.number,
        "currency": opening.currency,
        "purpose": opening.purpose,
        "side": opening.side,
        "running": opening.running,
        "overdraft_limit": opening.overdraft_limit,
        "daily_limit": opening.daily_limit,
        "client": client,
    }
    return bool(fetch_one("open", parameters, using)[0])


def next_serial(*, using: str = "default") -> int:
    """Return a serial that no account of this node has had."""
    return int(fetch_one("next_serial", {}, using)[0])


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


def set_status(
    number: int, *, status: Status, client: int, reason: str, using: str = "default"
) -> None:
    """Freeze, unfreeze or close an account; closing needs balance zero and no open hold.

    Raises:
        Refused
    """
    parameters = {"number": number, "status": status, "client": client, "reason": reason}
    fetch_one("set_status", parameters, using)


def set_limits(  # noqa: PLR0913  # two limits, and who set them why
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


def set_payee_limit(  # noqa: PLR0913  # one limit, and who set it why
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
