"""``bank tx list``: what moved."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from client.command import BankCommand, noun
from client.commands.choosing import path_part
from client.desk import Desk, desk_of
from client.screen import Column

app = noun("What moved on your accounts.")
all_app = noun("What moved at the bank, for admins.")

Wanted = Mapping[str, str | None]
NOTHING_SPECIAL: Final[Wanted] = {}

TRANSFERS: Final = (
    Column("Booked", "recorded_at", is_instant=True),
    Column("From", "debit_account"),
    Column("To", "credit_account"),
    Column("Amount", "amount", is_figure=True),
    Column("Currency", "currency"),
    Column("Kind", "kind", is_spare=True),
    Column("Memo", "memo"),
    Column("Id", "id", is_spare=True),
)


def _signed(entry: Mapping[str, Any]) -> str:
    return f"-{entry['amount']}" if entry["side"] == "debit" else str(entry["amount"])


ENTRIES: Final = (
    Column("Booked", "recorded_at", is_instant=True),
    Column("Amount", _signed, is_figure=True),
    Column("Balance", "balance_after", is_figure=True),
    Column("With", "counterparty_name", is_spare=True),
    Column("Account", "counterparty_account"),
    Column("Kind", "kind", is_spare=True),
    Column("Memo", "memo"),
    Column("Transfer", "transfer_id", is_spare=True),
)

ALL: Final = (
    Column("Booked", "recorded_at", is_instant=True),
    Column("Branch", "node", is_spare=True),
    Column("Kind", "what", is_spare=True),
    Column("From", "account"),
    Column("To", "counterparty_account"),
    Column("Amount", "amount", is_figure=True),
    Column("Currency", "currency"),
    Column("By", "by", is_spare=True),
    Column("Memo", "words"),
    Column("Id", "id", is_spare=True),
)

Since = Annotated[str | None, typer.Option(metavar="DAY", help="From this day on: 2026-01-31.")]
Until = Annotated[str | None, typer.Option(metavar="DAY", help="Up to this day.")]
Least = Annotated[str | None, typer.Option("--min", metavar="AMOUNT", help="This much or more.")]
Most = Annotated[str | None, typer.Option("--max", metavar="AMOUNT", help="This much or less.")]
Kind = Annotated[str | None, typer.Option(help="Of this kind, such as transfer or deposit.")]
Containing = Annotated[str | None, typer.Option("--text", help="With this in the memo.")]
Limit = Annotated[int, typer.Option(min=1, metavar="N", help="At most so many.")]


@app.command("list", cls=BankCommand)
def list_transactions(  # noqa: PLR0913  # a parameter a filter
    context: typer.Context,
    *,
    account: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Only this account, with balances.")
    ] = None,
    since: Since = None,
    until: Until = None,
    least: Least = None,
    most: Most = None,
    kind: Kind = None,
    text: Containing = None,
    currency: Annotated[
        str | None, typer.Option(help="In this currency; needed beside --min and --max.")
    ] = None,
    limit: Limit = 50,
) -> None:
    """List what moved, newest first.

    Examples:
        bank tx list
        bank tx list --since 2026-11-01 --json
        bank tx list --min 1000 --currency INR
        bank tx list --account 201000000022 --text rent --min 1000
    """
    desk = desk_of(context)
    wanted = filters(since=since, until=until, least=least, most=most, kind=kind, text=text)
    if account is None:
        show_transfers(desk, limit=limit, wanted={**wanted, "currency": currency})
    else:
        show_statement(desk, account, limit=limit, wanted=wanted)


@all_app.command("list", cls=BankCommand)
def list_all(
    context: typer.Context,
    *,
    account: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Only of this account.")
    ] = None,
    kind: Kind = None,
    limit: Limit = 50,
) -> None:
    """List what moved at the bank, newest first, for admins.

    Examples:
        bank transactions list
        bank transactions list --account 201000000022 --kind withdrawal --json
    """
    show_all(desk_of(context), limit=limit, wanted={"account": account, "what": kind})


def filters(
    *,
    since: str | None,
    until: str | None,
    least: str | None,
    most: str | None,
    kind: str | None,
    text: str | None,
) -> Wanted:
    """Return what is wanted, in the words of the API."""
    days = {"date_from": since, "date_to": until}
    return {**days, "amount_min": least, "amount_max": most, "kind": kind, "text": text}


def show_transfers(desk: Desk, *, limit: int, wanted: Wanted = NOTHING_SPECIAL) -> None:
    """Show the transfers from and to the person's accounts."""
    desk.screen.items(desk.bank.listed("/transfers", "transfers", limit=limit, **wanted), TRANSFERS)


def show_statement(desk: Desk, account: str, *, limit: int, wanted: Wanted) -> None:
    """Show an account's entries."""
    path = f"/accounts/{path_part(account)}/statement"
    desk.screen.items(desk.bank.listed(path, "entries", limit=limit, **wanted), ENTRIES)


def show_all(desk: Desk, *, limit: int, wanted: Wanted = NOTHING_SPECIAL) -> None:
    """Show what moved at the bank."""
    found = desk.bank.listed("/admin/transactions", "transactions", limit=limit, **wanted)
    desk.screen.items(found, ALL)
