"""``bank holds list|place|capture|release``: money set aside."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import typer

from client.command import BankCommand, KeyedCommand, noun
from client.commands.choosing import path_part
from client.commands.transactions import Limit
from client.commands.transfers import Amount, From, Memo, To, ask_for_order
from client.desk import desk_of
from client.screen import Column

app = noun("Money set aside for a payment to come.")

HoldId = Annotated[str, typer.Argument(metavar="ID", help="The hold's id.")]

HOLD: Final = (
    Column("Id", "id"),
    Column("From", "account"),
    Column("To", "payee_account"),
    Column("Amount", "amount", is_figure=True),
    Column("Currency", "currency"),
    Column("State", "state"),
    Column("Expires", "expires_at", is_instant=True),
    Column("Memo", "memo"),
)
CAPTURED: Final = (
    Column("Transfer", "id"),
    Column("Hold", "hold_id"),
    Column("Booked", "recorded_at", is_instant=True),
)


@app.command("list", cls=BankCommand)
def list_holds(context: typer.Context, limit: Limit = 50) -> None:
    """List what is set aside, newest first.

    Examples:
        bank holds list
        bank holds list --json
    """
    desk = desk_of(context)
    desk.screen.items(desk.bank.listed("/holds", "holds", limit=limit), HOLD)


@app.command(cls=KeyedCommand)
def place(
    context: typer.Context,
    *,
    source: From = None,
    to: To = None,
    amount: Amount = None,
    memo: Memo = None,
    days: Annotated[int, typer.Option(min=1, max=31, help="Free again after so many.")] = 7,
) -> None:
    """Set money aside for somebody of the same branch; nothing moves until it is captured.

    Examples:
        bank holds place --to 201000000154 --amount 500 --memo deposit --days 3
    """
    desk = desk_of(context)
    order = ask_for_order(desk, source=source, to=to, amount=amount, memo=memo)
    until = datetime.now(UTC) + timedelta(days=days)
    order["account"] = order.pop("debit_account")
    order["payee_account"] = order.pop("credit_account")
    desk.agree(f"Set {order['amount']} {order['currency']} aside for {order['payee_account']}?")
    hold = desk.change("/holds", {**order, "expires_at": until.isoformat(timespec="seconds")})
    desk.screen.item(hold, HOLD)
    desk.screen.next(f"bank holds capture {hold['id']}")


@app.command(cls=KeyedCommand)
def capture(
    context: typer.Context,
    hold: HoldId,
    amount: Annotated[str | None, typer.Option(help="Less than was set aside.")] = None,
) -> None:
    """Pay out what was set aside, or a part of it; the rest is free again.

    Examples:
        bank holds capture 019a9d3e-0d3c-7a51-9d53-6c1b0e0f2a11
        bank holds capture 019a9d3e-0d3c-7a51-9d53-6c1b0e0f2a11 --amount 120
    """
    desk = desk_of(context)
    desk.agree("Pay it out?")
    path = f"/holds/{path_part(hold)}"
    currency = desk.bank.get(path)["currency"]
    body = {"amount": amount, "currency": currency} if amount else {}
    desk.screen.item(desk.change(f"{path}/capture", body), CAPTURED)


@app.command(cls=KeyedCommand)
def release(context: typer.Context, hold: HoldId) -> None:
    """Let go of what was set aside.

    Examples:
        bank holds release 019a9d3e-0d3c-7a51-9d53-6c1b0e0f2a11
    """
    desk = desk_of(context)
    desk.agree("Let go of it?")
    desk.screen.item(desk.change(f"/holds/{path_part(hold)}/release", {}), HOLD)
