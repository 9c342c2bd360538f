"""``bank accounts``: one's own; for admins opening, closing and freezing those of customers."""

from decimal import Decimal
from typing import Annotated, Final

import typer

from client.command import BankCommand, KeyedCommand, noun
from client.commands.choosing import path_part
from client.commands.transactions import (
    Containing,
    Kind,
    Least,
    Limit,
    Most,
    Since,
    Until,
    filters,
    show_statement,
)
from client.desk import Desk, desk_of
from client.screen import Column

app = noun("Accounts, balances and statements.")

ACCOUNT: Final = (
    Column("Number", "number"),
    Column("Product", "product"),
    Column("Branch", "branch"),
    Column("Status", "status"),
    Column("Balance", "balance", is_figure=True),
    Column("Held", "held", is_figure=True),
    Column("Available", "available", is_figure=True),
    Column("Currency", "currency"),
)

GOVERNED: Final = (
    *ACCOUNT,
    Column("Opened", "opened_at", is_instant=True),
    Column("Held by", lambda account: [one["name"] for one in account["holders"]]),
)
APPROVAL: Final = (
    Column("Approval", "id"),
    Column("State", "state"),
    Column("Reason", "reason"),
    Column("Asked", "asked_at", is_instant=True),
)

Reason = Annotated[str | None, typer.Option(help="Why; the audit keeps it.")]
Number = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's number.")]


@app.command("list", cls=BankCommand)
def list_accounts(context: typer.Context) -> None:
    """List your accounts with their balances.

    Examples:
        bank accounts list
        bank accounts list --json
    """
    desk = desk_of(context)
    answer = desk.bank.get("/accounts")
    for branch in answer.get("unavailable_branches", ()):
        desk.screen.warn(f"Branch {branch} does not answer: its accounts are missing here.")
    desk.screen.items(answer["accounts"], ACCOUNT)


@app.command(cls=BankCommand)
def show(context: typer.Context, number: Number) -> None:
    """Show one of your accounts.

    Examples:
        bank accounts show 201000000022
    """
    desk = desk_of(context)
    desk.screen.item(desk.bank.get(f"/accounts/{path_part(number)}"), ACCOUNT)


@app.command(cls=BankCommand)
def statement(  # noqa: PLR0913  # a parameter a filter
    context: typer.Context,
    number: Number,
    *,
    since: Since = None,
    until: Until = None,
    least: Least = None,
    most: Most = None,
    kind: Kind = None,
    text: Containing = None,
    limit: Limit = 50,
) -> None:
    """Show what moved on an account and the balance after it, newest first.

    Examples:
        bank accounts statement 201000000022
        bank accounts statement 201000000022 --since 2026-11-01 --plain
    """
    wanted = filters(since=since, until=until, least=least, most=most, kind=kind, text=text)
    show_statement(desk_of(context), number, limit=limit, wanted=wanted)


@app.command("open", cls=KeyedCommand)
def open_account(  # a parameter an option
    context: typer.Context,
    *,
    customer: Annotated[str | None, typer.Option(metavar="USER_ID", help="Whose it is.")] = None,
    branch: Annotated[str | None, typer.Option(help="The branch's code.")] = None,
    product: Annotated[str, typer.Option(help="current or savings.")] = "current",
    currency: Annotated[str, typer.Option(help="Its currency.")] = "INR",
    reason: Reason = None,
) -> None:
    """Open an account for a customer, for admins.

    Examples:
        bank accounts open --customer 20100000017 --branch MUM --product savings --reason asked
    """
    desk = desk_of(context)
    open_one(
        desk,
        customer=customer,
        branch=branch,
        product=product,
        currency=currency,
        reason=reason,
    )


@app.command(cls=KeyedCommand)
def close(
    context: typer.Context,
    number: Number,
    *,
    reason: Reason = None,
    payout: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="Where the interest goes, if it has any.")
    ] = None,
    confirm: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="The number again, in scripts.")
    ] = None,
) -> None:
    """Close an account for good, for admins. It must be at zero; its interest is paid out.

    Examples:
        bank accounts close 201000000022 --reason "moves abroad"
        bank accounts close 201000000022 --reason "moves abroad" --confirm 201000000022
        bank accounts close 201000000022 --reason "moves abroad" --payout 201000000014
    """
    close_one(desk_of(context), number=number, reason=reason, payout=payout, confirm=confirm)


@app.command(cls=KeyedCommand)
def freeze(context: typer.Context, number: Number, reason: Reason = None) -> None:
    """Ask that nothing moves on an account any more, for admins; a second admin approves.

    Examples:
        bank accounts freeze 201000000022 --reason "reported as stolen"
    """
    _ask(desk_of(context), number, "freeze", "Ask to freeze", reason=reason)


@app.command(cls=KeyedCommand)
def unfreeze(context: typer.Context, number: Number, reason: Reason = None) -> None:
    """Ask that a frozen account is open again, for admins; a second admin approves.

    Examples:
        bank accounts unfreeze 201000000022 --reason "the owner has shown who they are"
    """
    _ask(desk_of(context), number, "unfreeze", "Ask to unfreeze", reason=reason)


def open_one(
    desk: Desk,
    *,
    customer: str | None = None,
    branch: str | None = None,
    product: str = "current",
    currency: str = "INR",
    reason: str | None = None,
) -> None:
    """Open an account, with consent; what is missing is asked for.

    Raises:
        Failure: it was refused, or nobody knows.
    """
    order = {
        "user_id": customer or desk.questions.text("User id", option="--customer"),
        "branch": branch or desk.questions.text("Branch", option="--branch"),
        "product": product,
        "currency": currency,
        "reason": reason or desk.questions.text("Reason", option="--reason"),
    }
    desk.agree(f"Open a {product} account in {currency} for {order['user_id']}?")
    desk.screen.item(desk.change("/admin/accounts", order), GOVERNED)


def close_one(
    desk: Desk,
    *,
    number: str | None = None,
    reason: str | None = None,
    payout: str | None = None,
    confirm: str | None = None,
) -> None:
    """Close an account once its number was typed twice; what is missing is asked for.

    Where its interest goes is asked for if it has earned any.

    Raises:
        Failure: it was refused, or nobody knows.
    """
    number = path_part(number or desk.questions.text("Account", option="ACCOUNT"))
    reason = reason or desk.questions.text("Reason", option="--reason")
    due = desk.bank.get(f"/admin/accounts/{number}/close")
    if payout is None and Decimal(due["interest"]):
        question = f"{due['interest']} {due['currency']} of interest goes to account"
        payout = desk.questions.text(question, option="--payout")
    desk.questions.agree_by_typing("This closes it for good.", number, typed=confirm)
    wanted = {"reason": reason} if payout is None else {"reason": reason, "payout_account": payout}
    closed = desk.change(f"/admin/accounts/{number}/close", wanted)
    desk.screen.item(closed, GOVERNED)


def _ask(desk: Desk, number: str, verb: str, question: str, *, reason: str | None) -> None:
    reason = reason or desk.questions.text("Reason", option="--reason")
    desk.agree(f"{question} account {number}?")
    path = f"/admin/accounts/{path_part(number)}/{verb}"
    desk.screen.item(desk.change(path, {"reason": reason}), APPROVAL)
