"""Which account a command is about, where the person did not say, and in which currency."""

from collections.abc import Mapping
from typing import Any

from client.desk import Desk
from client.failures import ExitCode, Failure


def own_account(desk: Desk, number: str | None, *, option: str, label: str) -> Mapping[str, Any]:
    """Return the account that is named, or the only one, or the one the person chooses.

    Raises:
        Failure: there is none, or nobody can choose.
    """
    if number is not None:
        found: Mapping[str, Any] = desk.bank.get(f"/accounts/{path_part(number)}")
        return found
    accounts = usable_accounts(desk)
    if not accounts:
        message = "You have no account here."
        raise Failure(message, ExitCode.NOT_FOUND)
    if len(accounts) == 1:
        only: Mapping[str, Any] = accounts[0]
        return only
    shown = [described(account) for account in accounts]
    chosen: Mapping[str, Any] = accounts[desk.questions.one_of(label, shown, option=option)]
    return chosen


def usable_accounts(desk: Desk) -> list[Mapping[str, Any]]:
    """Return the person's accounts that are not closed."""
    accounts = desk.bank.get("/accounts")["accounts"]
    return [account for account in accounts if account["status"] != "closed"]


def described(account: Mapping[str, Any]) -> str:
    """Return an account in a line: its number, what it is, and what can be spent."""
    spendable = account.get("available", account["balance"])
    return f"{account['number']}  {account['product']}  {spendable} {account['currency']}"


def path_part(text: str) -> str:
    """Return what a person typed as one part of an address.

    Raises:
        Failure: it would lead elsewhere.
    """
    if not text.strip() or set(text) & set("/?#%\\") or text.strip(".") == "":
        message = f"{text!r} is no number or id."
        raise Failure(message, ExitCode.USAGE)
    return text.strip()
