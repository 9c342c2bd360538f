"""``bank customers list``, for admins."""

from typing import Annotated, Final

import typer

from client.command import BankCommand, noun
from client.commands.transactions import Limit
from client.desk import Desk, desk_of
from client.screen import Column

app = noun("Customers, for admins.")

PERSON: Final = (
    Column("User id", "user_id"),
    Column("Name", "full_name"),
    Column("E-mail", "email"),
    Column("Role", "role", is_spare=True),
    Column("Status", "status"),
    Column("Branch", lambda person: person.get("branch", {}).get("code")),
    Column("Joined", "joined_at", is_instant=True, is_spare=True),
)
Text = Annotated[str | None, typer.Option("--text", help="With this in name, e-mail or phone.")]
Branch = Annotated[str | None, typer.Option(help="Of this branch, by its code.")]


@app.command("list", cls=BankCommand)
def list_customers(
    context: typer.Context, *, text: Text = None, branch: Branch = None, limit: Limit = 50
) -> None:
    """List customers. They can see that you looked.

    Examples:
        bank customers list
        bank customers list --branch MUM --text rao --json
    """
    show(desk_of(context), limit=limit, text=text, branch=branch)


def show(desk: Desk, *, limit: int, text: str | None = None, branch: str | None = None) -> None:
    """Show customers."""
    found = desk.bank.listed("/admin/customers", "people", limit=limit, text=text, branch=branch)
    desk.screen.items(found, PERSON)
