"""The numbered menu: what ``bank`` shows when it is started bare at a terminal."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from client.commands import accounts, cash, customers, transactions, transfers
from client.commands.choosing import described, usable_accounts
from client.commands.sessions import enter
from client.desk import Desk
from client.failures import ExitCode, Failure, visible

ADMINS: Final = frozenset({"admin", "superadmin"})
SHOWN: Final = 20


class Choice(NamedTuple):
    """One line of a menu."""

    label: str
    action: Callable[[Desk], None]


def _show_balances(desk: Desk) -> None:
    for account in usable_accounts(desk):
        desk.screen.warn(f"  {described(account)}")


CUSTOMER: Final = (
    Choice("Refresh balance", _show_balances),
    Choice("Deposit", lambda desk: cash.book(desk, cash.DEPOSIT)),
    Choice("Withdraw", lambda desk: cash.book(desk, cash.WITHDRAWAL)),
    Choice("Transfer", transfers.send_what_is_asked),
    Choice("Transactions", lambda desk: transactions.show_transfers(desk, limit=SHOWN)),
)
ADMIN: Final = (
    Choice("Add an account", accounts.open_one),
    Choice("Close an account", accounts.close_one),
    Choice("Customers", lambda desk: customers.show(desk, limit=SHOWN)),
    Choice("All transactions", lambda desk: transactions.show_all(desk, limit=SHOWN)),
)


def run(desk: Desk) -> None:
    """Show the menu, and do what is chosen, until the person leaves.

    Raises:
        Failure: nobody can choose, or the person is not let in.
    """
    person = _person(desk)
    choices = _choices_for(person)
    desk.screen.warn(f"{person['full_name']}, {desk.settings.url}")
    if choices is CUSTOMER:
        _show_balances(desk)
    while (chosen := _choose(desk, choices)) is not None:
        _do(desk, chosen)


def _person(desk: Desk) -> Mapping[str, Any]:
    """Return who is logged in; let them log in first if nobody is."""
    try:
        found: Mapping[str, Any] = desk.bank.get("/me")
    except Failure as failure:
        if failure.exit_code != ExitCode.LOGGED_OUT or desk.settings.token:
            raise
        enter(desk, email=None)
        found = desk.bank.get("/me")
    return found


def _choices_for(person: Mapping[str, Any]) -> Sequence[Choice]:
    if person["role"] in ADMINS:
        return ADMIN
    if person["role"] == "customer":
        return CUSTOMER
    message = "The menu is for customers and admins; employees have their pages."
    raise Failure(message, ExitCode.NOT_ALLOWED)


def _choose(desk: Desk, choices: Sequence[Choice]) -> Choice | None:
    for number, choice in enumerate(choices, 1):
        sys.stderr.write(f"  {number}  {visible(choice.label)}\n")
    sys.stderr.write("  0  Exit\n")
    number = desk.questions.number("Choice", most=len(choices))
    return choices[number - 1] if number else None


def _do(desk: Desk, choice: Choice) -> None:
    """Do one thing; what hinders it does not end the menu."""
    try:
        choice.action(desk)
    except Failure as failure:
        if failure.exit_code == ExitCode.LOGGED_OUT:
            raise
        failure.show()
