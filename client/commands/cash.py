"""``bank cash deposit`` and ``bank cash withdraw``: at the machine of the account's branch."""

from typing import Annotated, Final, NamedTuple

import typer

from client.command import KeyedCommand, noun
from client.commands.choosing import own_account
from client.desk import Desk, desk_of
from client.screen import Column

app = noun("Pay cash in, and take it out.")

BOOKING: Final = (
    Column("Id", "id"),
    Column("Account", "account"),
    Column("Amount", "amount"),
    Column("Currency", "currency"),
    Column("Memo", "memo"),
    Column("Booked", "recorded_at", is_instant=True),
    Column("Balance after", "balance_after"),
)


class Way(NamedTuple):
    """Which way cash goes: its address, and what a person is asked."""

    path: str
    verb: str


DEPOSIT: Final = Way("/deposits", "Pay in")
WITHDRAWAL: Final = Way("/withdrawals", "Take out")

Amount = Annotated[str | None, typer.Argument(help="How much, as in 200 or 199.50.")]
Account = Annotated[
    str | None, typer.Option("--account", metavar="ACCOUNT", help="Your account's number.")
]


@app.command(cls=KeyedCommand)
def deposit(context: typer.Context, amount: Amount = None, account: Account = None) -> None:
    """Pay cash in.

    Examples:
        bank cash deposit 200
        bank cash deposit 200 --account 201000000022 --yes
    """
    book(desk_of(context), DEPOSIT, amount=amount, account=account)


@app.command(cls=KeyedCommand)
def withdraw(context: typer.Context, amount: Amount = None, account: Account = None) -> None:
    """Take cash out.

    Examples:
        bank cash withdraw 200
        bank cash withdraw 200 --account 201000000022 --yes
    """
    book(desk_of(context), WITHDRAWAL, amount=amount, account=account)


def book(desk: Desk, way: Way, *, amount: str | None = None, account: str | None = None) -> None:
    """Book cash, with the person's consent; what is missing is asked for.

    Raises:
        Failure: it was refused, or nobody knows.
    """
    found = own_account(desk, account, option="--account", label="Account")
    order = {
        "account": found["number"],
        "amount": amount or desk.questions.text("Amount", option="AMOUNT"),
        "currency": found["currency"],
    }
    desk.agree(f"{way.verb} {order['amount']} {order['currency']}, account {order['account']}?")
    desk.screen.item(desk.change(way.path, order), BOOKING)
    desk.screen.next("bank accounts list")
