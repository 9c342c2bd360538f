"""``bank branches list``."""

from typing import Final

import typer

from client.command import BankCommand, noun
from client.desk import desk_of
from client.screen import Column

app = noun("The bank's branches.")

BRANCHES: Final = (Column("Code", "code"), Column("Number", "number"), Column("Name", "name"))


@app.command("list", cls=BankCommand)
def list_branches(context: typer.Context) -> None:
    """List the branches.

    Examples:
        bank branches list
    """
    desk = desk_of(context)
    desk.screen.items(desk.bank.get_openly("/branches")["branches"], BRANCHES)
