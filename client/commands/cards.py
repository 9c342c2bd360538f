"""``bank cards``: one's own, listed, asked for, activated, frozen and limited."""

from typing import Annotated, Final

import typer

from client.command import BankCommand, ChangeCommand, noun
from client.commands.choosing import own_account, path_part
from client.commands.transactions import Limit
from client.desk import desk_of
from client.failures import ExitCode, Failure
from client.screen import Column

app = noun("Your cards, and what they may pay.")

CardId = Annotated[str, typer.Argument(metavar="ID", help="The card's id.")]

CARD: Final = (
    Column("Id", "id"),
    Column("Ends in", "last_four"),
    Column("Account", "account"),
    Column("Kind", "kind"),
    Column("State", "state"),
    Column("Currency", "currency", is_spare=True),
    Column("Spent today", "spent_today", is_figure=True, is_spare=True),
    Column("This month", "spent_this_month", is_figure=True, is_spare=True),
    Column("At once", "payment_limit", is_figure=True, is_spare=True),
    Column("A day", "daily_limit", is_figure=True, is_spare=True),
    Column("A month", "monthly_limit", is_figure=True, is_spare=True),
    Column("Expires", "expires", is_spare=True),
    Column("Tier", "tier", is_spare=True),
)
ACTIVATED: Final = (Column("Card number", "card_number"), *CARD)
REQUEST: Final = (Column("Request", "request_id"), Column("State", "state"))
PAYMENT: Final = (
    Column("Asked", "asked_at", is_instant=True),
    Column("Merchant", "merchant"),
    Column("Amount", "amount", is_figure=True),
    Column("Currency", "currency"),
    Column("State", "state"),
    Column("Reason", "reason"),
)


@app.command("list", cls=BankCommand)
def list_cards(context: typer.Context) -> None:
    """List your cards, newest first.

    Examples:
        bank cards list
        bank cards list --json
    """
    desk = desk_of(context)
    desk.screen.items(desk.bank.get("/cards")["cards"], CARD)


@app.command(cls=BankCommand)
def payments(context: typer.Context, card: CardId, limit: Limit = 50) -> None:
    """List what a card paid, newest first, what was declined included.

    Examples:
        bank cards payments 5b0f3c1e-0e0e-4d52-8a57-3f0f7ad7b1c4
    """
    desk = desk_of(context)
    path = f"/cards/{path_part(card)}/payments"
    desk.screen.items(desk.bank.listed(path, "payments", limit=limit), PAYMENT)


@app.command(cls=ChangeCommand)
def request(  # a parameter an option
    context: typer.Context,
    *,
    account: Annotated[str | None, typer.Option(help="The account that it pays from.")] = None,
    kind: Annotated[str, typer.Option(help="debit or credit.")] = "debit",
    tier: Annotated[str, typer.Option(help="junior, classic or gold.")] = "classic",
    reason: Annotated[str | None, typer.Option(help="What it is for; the bank decides.")] = None,
) -> None:
    """Ask the bank for a card; a person there decides.

    Examples:
        bank cards request --account 201000000022 --reason "for shopping"
    """
    desk = desk_of(context)
    number = own_account(desk, account, option="--account", label="Account")["number"]
    reason = reason or desk.questions.text("Reason", option="--reason")
    desk.agree(f"Ask for a {kind} card for {number}?")
    body = {"account": number, "kind": kind, "tier": tier, "reason": reason}
    desk.screen.item(desk.bank.ensure("/cards", body), REQUEST)


@app.command(cls=ChangeCommand)
def activate(context: typer.Context, card: CardId) -> None:
    """Activate a card and show its number, this once. This needs a one-time code.

    Examples:
        bank cards activate 5b0f3c1e-0e0e-4d52-8a57-3f0f7ad7b1c4
    """
    desk = desk_of(context)
    desk.agree("Activate the card? Its number is shown once.")
    path, look = f"/cards/{path_part(card)}/activate", "bank cards list"
    desk.screen.item(desk.bank.change_once(path, {}, look=look), ACTIVATED)


@app.command(cls=ChangeCommand)
def freeze(context: typer.Context, card: CardId) -> None:
    """Let a card pay nothing, at once, until you unfreeze it.

    Examples:
        bank cards freeze 5b0f3c1e-0e0e-4d52-8a57-3f0f7ad7b1c4
    """
    desk = desk_of(context)
    desk.agree("Freeze the card?")
    desk.screen.item(desk.bank.ensure(f"/cards/{path_part(card)}/freeze", {}), CARD)
    desk.screen.next(f"bank cards unfreeze {card}")


@app.command(cls=ChangeCommand)
def unfreeze(context: typer.Context, card: CardId) -> None:
    """Let a frozen card pay again. This needs a one-time code.

    Examples:
        bank cards unfreeze 5b0f3c1e-0e0e-4d52-8a57-3f0f7ad7b1c4
    """
    desk = desk_of(context)
    desk.agree("Let the card pay again?")
    desk.screen.item(desk.bank.ensure(f"/cards/{path_part(card)}/unfreeze", {}), CARD)


@app.command(cls=ChangeCommand)
def limits(
    context: typer.Context,
    card: CardId,
    *,
    payment: Annotated[str | None, typer.Option(help="Paid at once at most.")] = None,
    daily: Annotated[str | None, typer.Option(help="Paid in a day at most.")] = None,
    monthly: Annotated[str | None, typer.Option(help="Paid in a calendar month at most.")] = None,
) -> None:
    """Change what a card may pay, at once. Raising a limit needs a one-time code.

    Examples:
        bank cards limits 5b0f3c1e-0e0e-4d52-8a57-3f0f7ad7b1c4 --daily 800
        bank cards limits 5b0f3c1e-0e0e-4d52-8a57-3f0f7ad7b1c4 --payment 0 --monthly 5000
    """
    wanted = {"payment_limit": payment, "daily_limit": daily, "monthly_limit": monthly}
    named = {name: amount for name, amount in wanted.items() if amount is not None}
    if not named:
        message = "Name a limit: --payment, --daily or --monthly."
        raise Failure(message, ExitCode.USAGE)
    desk = desk_of(context)
    path = f"/cards/{path_part(card)}"
    currency = desk.bank.get(path)["currency"]
    desk.agree("Change what the card may pay?")
    changed = desk.bank.ensure(path, {"currency": currency, **named}, method="PATCH")
    desk.screen.item(changed, CARD)
