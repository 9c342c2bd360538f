"""``bank transfer create``, ``preview``, ``show``, ``reverse``."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from client.command import BankCommand, ChangeCommand, KeyedCommand, noun
from client.commands.choosing import own_account, path_part
from client.desk import Desk, desk_of
from client.screen import Column

app = noun("Send money, and look at what was sent.")

From = Annotated[
    str | None, typer.Option("--from", metavar="ACCOUNT", help="Your account to pay from.")
]
To = Annotated[str | None, typer.Option("--to", metavar="ACCOUNT", help="The account to pay to.")]
Amount = Annotated[
    str | None, typer.Option("--amount", metavar="AMOUNT", help="How much, as in 1250.50.")
]
Memo = Annotated[str | None, typer.Option("--memo", help="A message, up to 140 characters.")]

_ORDER: Final = (
    Column("From", "debit_account"),
    Column("To", "credit_account"),
    Column("Name", "credit_name"),
    Column("Amount", "amount"),
    Column("Currency", "currency"),
    Column("Memo", "memo"),
)
TransferId = Annotated[str, typer.Argument(metavar="ID", help="The transfer's id.")]
PREVIEW: Final = (
    *_ORDER,
    Column("Balance after", "debit_balance_after"),
    Column("Needs a code", "needs_step_up"),
)
TRANSFER: Final = (
    Column("Id", "id"),
    *_ORDER,
    Column("Booked", "recorded_at", is_instant=True),
    Column("Balance after", "debit_balance_after"),
    Column("Under way", "settling"),
    Column("Reversed", "is_reversed"),
    Column("Reversed by", "reversed_by"),
    Column("Reverses", "reverses"),
)
REVERSAL: Final = (
    Column("Id", "id"),
    Column("Transfer", "transfer_id"),
    Column("Reason", "reason"),
    Column("State", "state"),
    Column("Asked", "asked_at", is_instant=True),
)


@app.command(cls=KeyedCommand)
def create(  # a parameter an option
    context: typer.Context,
    *,
    source: From = None,
    to: To = None,
    amount: Amount = None,
    memo: Memo = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen.")] = False,
) -> None:
    """Send money. What is not given is asked for at a terminal.

    Examples:
        bank transfer create --to 201000000154 --amount 1250.50 --memo rent
        bank transfer create --from 201000000022 --to 201000000154 --amount 5 --yes --json
        bank transfer create --to 201000000154 --amount 1250.50 --dry-run
    """
    desk = desk_of(context)
    order = ask_for_order(desk, source=source, to=to, amount=amount, memo=memo)
    if dry_run:
        show_preview(desk, order)
    else:
        send(desk, order)


@app.command(cls=BankCommand)
def preview(
    context: typer.Context,
    *,
    source: From = None,
    to: To = None,
    amount: Amount = None,
    memo: Memo = None,
) -> None:
    """Show what a transfer would do; no money moves.

    Examples:
        bank transfer preview --to 201000000154 --amount 1250.50
    """
    desk = desk_of(context)
    show_preview(desk, ask_for_order(desk, source=source, to=to, amount=amount, memo=memo))


@app.command(cls=BankCommand)
def show(context: typer.Context, transfer: TransferId) -> None:
    """Show one transfer from or to your accounts.

    Examples:
        bank transfer show 019a9d3e-0d3c-7a51-9d53-6c1b0e0f2a11
    """
    desk = desk_of(context)
    desk.screen.item(desk.bank.get(f"/transfers/{path_part(transfer)}"), TRANSFER)


@app.command(cls=ChangeCommand)
def reverse(
    context: typer.Context,
    transfer: TransferId,
    reason: Annotated[str | None, typer.Option(help="Why it should be undone.")] = None,
) -> None:
    """Ask the bank to undo a transfer of yours; a person there decides.

    Examples:
        bank transfer reverse 019a9d3e-0d3c-7a51-9d53-6c1b0e0f2a11 --reason "wrong account"
    """
    desk = desk_of(context)
    reason = reason or desk.questions.text("Reason", option="--reason")
    desk.agree("Ask the bank to undo this transfer?")
    path = f"/transfers/{path_part(transfer)}/reversal-requests"
    desk.screen.item(desk.bank.ensure(path, {"reason": reason}), REVERSAL)


def send_what_is_asked(desk: Desk) -> None:
    """Ask for all of a transfer, and send it.

    Raises:
        Failure: it was refused, or nobody knows.
    """
    send(desk, ask_for_order(desk, source=None, to=None, amount=None, memo=None))


def show_preview(desk: Desk, order: Mapping[str, str]) -> None:
    """Show what a transfer would do."""
    desk.screen.item(_preview(desk, order), PREVIEW)


def send(desk: Desk, order: Mapping[str, str]) -> None:
    """Send money, with the person's consent to what it will do.

    Raises:
        Failure: it was refused, or nobody knows.
    """
    if desk.must_agree:
        desk.screen.aside(_preview(desk, order), PREVIEW)
    desk.agree(f"Send {order['amount']} {order['currency']} to {order['credit_account']}?")
    sent = desk.change("/transfers", order)
    desk.screen.item(sent, TRANSFER)
    desk.screen.next(f"bank transfer show {sent['id']}")


def _preview(desk: Desk, order: Mapping[str, str]) -> Mapping[str, Any]:
    """Return what a transfer would do, and whose the account is that it pays."""
    preview = desk.bank.look("/transfers/preview", order)
    payee = desk.bank.get(f"/payee-confirmations/{path_part(order['credit_account'])}")
    return {**preview, "credit_name": payee.get("name")}


def ask_for_order(
    desk: Desk, *, source: str | None, to: str | None, amount: str | None, memo: str | None
) -> dict[str, str]:
    """Return the body of a transfer; what is missing is asked for."""
    account = own_account(desk, source, option="--from", label="From")
    order = {
        "debit_account": account["number"],
        "credit_account": to or desk.questions.text("To account", option="--to"),
        "amount": amount or desk.questions.text("Amount", option="--amount"),
        "currency": account["currency"],
    }
    return {**order, "memo": memo} if memo else order
