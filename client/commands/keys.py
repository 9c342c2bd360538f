"""``bank keys list|create|revoke``: API keys for programs."""

from typing import Annotated, Final

import typer

from client.command import BankCommand, ChangeCommand, noun
from client.commands.choosing import path_part
from client.desk import desk_of
from client.screen import Column

app = noun("API keys for your programs.")

_LOOK: Final = "bank keys list"
KEY: Final = (
    Column("Id", "id"),
    Column("Name", "name"),
    Column("Begins with", "prefix"),
    Column("Scopes", "scopes"),
    Column("Largest transfer", "largest_transfer", is_figure=True),
    Column("Expires", "expires_at", is_instant=True),
    Column("Last used", "last_used_at", is_instant=True),
    Column("Key", "key"),
)


@app.command("list", cls=BankCommand)
def list_keys(context: typer.Context) -> None:
    """List your keys.

    Examples:
        bank keys list
    """
    desk = desk_of(context)
    desk.screen.items(desk.bank.get("/me/keys")["keys"], KEY[:-1])


@app.command(cls=ChangeCommand)
def create(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="What the key is for.")],
    scope: Annotated[list[str], typer.Option(help="What it may do; say it once for each scope.")],
    days: Annotated[int, typer.Option(min=1, help="Expires after so many days.")] = 90,
    largest: Annotated[
        str | None,
        typer.Option(
            "--largest-transfer",
            metavar="AMOUNT",
            help="The most it sends at once; without, nothing.",
        ),
    ] = None,
) -> None:
    """Make a key. It is shown once, on the standard output. This needs a one-time code.

    Examples:
        bank keys create --name payroll --scope accounts:read --scope batches:write
        bank keys create --name shop --scope transfers:write --largest-transfer 5000 --days 30
    """
    desk = desk_of(context)
    wanted: dict[str, object] = {"name": name, "scopes": scope, "expires_in_days": days}
    if largest is not None:
        wanted["largest_transfer"] = largest
    desk.screen.item(desk.bank.change_once("/me/keys", wanted, look=_LOOK), KEY)
    desk.screen.note("Keep the key where your program finds it: it is not shown again.")


@app.command(cls=ChangeCommand)
def revoke(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id.")],
) -> None:
    """Take a key back, at once.

    Examples:
        bank keys revoke 019a9d3e-0d3c-7a51-9d53-6c1b0e0f2a11
    """
    desk = desk_of(context)
    desk.agree("Revoke this key? What uses it stops working.")
    desk.bank.change_once(f"/me/keys/{path_part(key_id)}", method="DELETE", look=_LOOK)
    desk.screen.note("Revoked.")
