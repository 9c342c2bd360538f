"""The command ``bank``."""

import os
import sys
from typing import Annotated, Final, cast

import click
import typer

from client import __version__
from client.command import BankCommand, BankGroup
from client.commands import (
    accounts,
    batches,
    branches,
    cards,
    cash,
    completion,
    customers,
    holds,
    keys,
    loans,
    logins,
    payees,
    sessions,
    transactions,
    transfers,
    users,
)
from client.desk import desk_of

COMPLETE: Final = "_BANK_COMPLETE"

app = typer.Typer(
    name="bank",
    cls=BankGroup,
    suggest_commands=False,
    # Plain help is written in a tenth of the time, and its examples stand first.
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
)
sessions.add_to(app)
app.add_typer(accounts.app, name="accounts")
app.add_typer(transactions.app, name="tx")
app.add_typer(transfers.app, name="transfer")
app.add_typer(batches.app, name="batch")
app.add_typer(cash.app, name="cash")
app.add_typer(holds.app, name="holds")
app.add_typer(cards.app, name="cards")
app.add_typer(loans.app, name="loans")
app.add_typer(payees.app, name="payees")
app.add_typer(keys.app, name="keys")
app.add_typer(branches.app, name="branches")
app.add_typer(users.app, name="users")
app.add_typer(customers.app, name="customers")
app.add_typer(transactions.all_app, name="transactions")
app.add_typer(logins.app, name="logins")
completion.add_to(app)


def _say_version(is_wanted: bool) -> None:  # noqa: FBT001  # as typer calls it
    if is_wanted:
        typer.echo(f"bank {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    *,
    url: Annotated[str | None, typer.Option(help="The bank's address, for the menu.")] = None,
    version: Annotated[  # noqa: ARG001  # its callback says it
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    """The bank at your terminal. Started bare, it shows a menu.

    Examples:
        bank login
        bank accounts list
        bank transfer create --to 201000000154 --amount 1250.50
        bank tx list --since 2026-11-01 --json
    """
    if url:
        os.environ["BANK_URL"] = url
    if context.invoked_subcommand is None:
        _open_menu(context)


@app.command(cls=BankCommand)
def menu(context: typer.Context) -> None:
    """Choose what to do from a numbered menu.

    Examples:
        bank menu
        bank menu --url https://bank.example
    """
    from client.menu import run

    run(desk_of(context))


def _open_menu(context: typer.Context) -> None:
    """Show the menu to a person, and the help to a program."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)
    command = cast("click.Group", context.command).commands["menu"]
    with command.make_context("menu", [], parent=context) as inner:
        command.invoke(inner)


def main() -> None:
    """Run the command that the arguments name, and exit with its status."""
    if COMPLETE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]  # imported there

        completion_init()
    app(prog_name="bank")
