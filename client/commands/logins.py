"""``bank logins list``, and for admins ``bank logins stats``."""

from typing import Annotated, Final

import typer

from client.command import BankCommand, noun
from client.commands.transactions import Limit
from client.desk import desk_of
from client.screen import Column

app = noun("Who logged in, when, and from where.")

LOG_IN: Final = (
    Column("When", "at", is_instant=True),
    Column("Result", "result"),
    Column("Device", "device"),
    Column("Address", "address"),
)
MONTH: Final = (
    Column("Month", "month"),
    Column("Log-ins", "log_ins", is_figure=True),
    Column("Failures", "failures", is_figure=True),
    Column("People", "people", is_figure=True),
)


@app.command("list", cls=BankCommand)
def list_log_ins(context: typer.Context, limit: Limit = 50) -> None:
    """List who logged in as you, or tried to, newest first.

    Examples:
        bank logins list
    """
    desk = desk_of(context)
    desk.screen.items(desk.bank.listed("/me/logins", "log_ins", limit=limit), LOG_IN)


@app.command(cls=BankCommand)
def stats(
    context: typer.Context,
    months: Annotated[int, typer.Option(min=1, max=60, metavar="N", help="How many.")] = 12,
) -> None:
    """Count the log-ins of each month, for admins.

    Examples:
        bank logins stats
        bank logins stats --months 3 --plain
    """
    desk = desk_of(context)
    answer = desk.bank.get("/admin/login-statistics", months=months)
    desk.screen.items(answer["months"], MONTH)
