"""``bank payees list|add|remove``."""

from typing import Annotated, Final

import typer

from client.command import BankCommand, ChangeCommand, noun
from client.commands.choosing import path_part
from client.commands.transactions import Limit
from client.desk import desk_of
from client.screen import Column

app = noun("People you pay.")

PAYEE: Final = (
    Column("Id", "id"),
    Column("Nickname", "nickname"),
    Column("Account", "account"),
    Column("Name", "name"),
    Column("Currency", "currency"),
    Column("New until", "cooling_until", is_instant=True),
    Column("A day until then", "daily_limit_while_cooling", is_figure=True),
)


@app.command("list", cls=BankCommand)
def list_payees(context: typer.Context, limit: Limit = 50) -> None:
    """List the people you pay.

    Examples:
        bank payees list
    """
    desk = desk_of(context)
    desk.screen.items(desk.bank.listed("/payees", "payees", limit=limit), PAYEE)


@app.command(cls=ChangeCommand)
def add(
    context: typer.Context,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Their account's number.")],
    nickname: Annotated[str | None, typer.Option(help="What you call them.")] = None,
) -> None:
    """Save somebody you pay. This needs a one-time code.

    Examples:
        bank payees add 201000000154 --nickname Priya
    """
    desk = desk_of(context)
    nickname = nickname or desk.questions.text("Nickname", option="--nickname")
    payee = desk.bank.ensure("/payees", {"account": account, "nickname": nickname})
    desk.screen.item(payee, PAYEE)
    desk.screen.next(f"bank transfer create --to {payee['account']}")


@app.command(cls=ChangeCommand)
def remove(
    context: typer.Context,
    payee: Annotated[str, typer.Argument(metavar="ID", help="The payee's id.")],
) -> None:
    """Forget somebody you pay.

    Examples:
        bank payees remove 019a9d3e-0d3c-7a51-9d53-6c1b0e0f2a11
    """
    desk = desk_of(context)
    desk.agree("Forget this payee?")
    path, look = f"/payees/{path_part(payee)}", "bank payees list"
    desk.bank.change_once(path, method="DELETE", look=look)
    desk.screen.note("Forgotten.")
