"""``bank users list|add|suspend|activate``, for admins."""

from typing import Annotated

import typer

from client.command import BankCommand, ChangeCommand, noun
from client.commands.accounts import Reason
from client.commands.choosing import path_part
from client.commands.customers import PERSON, Branch, Text
from client.commands.transactions import Limit
from client.desk import Desk, desk_of

app = noun("Everybody whom the bank knows, for admins.")

UserId = Annotated[str, typer.Argument(metavar="USER_ID", help="The person's user id.")]


@app.command("list", cls=BankCommand)
def list_users(  # a parameter a filter
    context: typer.Context,
    *,
    role: Annotated[str | None, typer.Option(help="Of this role.")] = None,
    status: Annotated[str | None, typer.Option(help="Of this status.")] = None,
    text: Text = None,
    branch: Branch = None,
    limit: Limit = 50,
) -> None:
    """List people, staff included. They can see that you looked.

    Examples:
        bank users list --role employee
        bank users list --status suspended --json
    """
    desk = desk_of(context)
    wanted = {"role": role, "status": status, "text": text, "branch": branch}
    desk.screen.items(desk.bank.listed("/admin/people", "people", limit=limit, **wanted), PERSON)


@app.command(cls=ChangeCommand)
def add(
    context: typer.Context,
    *,
    email: Annotated[str | None, typer.Option(help="Their e-mail address.")] = None,
    name: Annotated[str | None, typer.Option(help="Their full name.")] = None,
    branch: Annotated[str | None, typer.Option(help="The branch's code.")] = None,
) -> None:
    """Register a customer: they get a first account, and a mail to choose a password.

    Examples:
        bank users add --email asha@example.org --name "Asha Rao" --branch MUM
    """
    desk = desk_of(context)
    person = {
        "full_name": name or desk.questions.text("Full name", option="--name"),
        "email": email or desk.questions.text("E-mail", option="--email"),
        "branch": branch or desk.questions.text("Branch", option="--branch"),
    }
    desk.agree(f"Register {person['full_name']}, {person['email']}?")
    look = f"bank customers list --text {person['email']}"
    desk.screen.item(desk.bank.change_once("/admin/customers", person, look=look), PERSON)


@app.command(cls=ChangeCommand)
def suspend(
    context: typer.Context,
    user: UserId,
    reason: Reason = None,
    confirm: Annotated[
        str | None, typer.Option(metavar="USER_ID", help="The user id again, in scripts.")
    ] = None,
) -> None:
    """Lock a person out, everywhere and within a second.

    Examples:
        bank users suspend 20100000017 --reason "the card was stolen"
        bank users suspend 20100000017 --reason "the card was stolen" --confirm 20100000017
    """
    desk = desk_of(context)
    reason = reason or desk.questions.text("Reason", option="--reason")
    desk.questions.agree_by_typing("This locks them out at once.", user, typed=confirm)
    _change_status(desk, user, "suspended", reason)


@app.command(cls=ChangeCommand)
def activate(context: typer.Context, user: UserId, reason: Reason = None) -> None:
    """Let a suspended person in again.

    Examples:
        bank users activate 20100000017 --reason "has a new card"
    """
    desk = desk_of(context)
    reason = reason or desk.questions.text("Reason", option="--reason")
    desk.agree(f"Let {user} in again?")
    _change_status(desk, user, "active", reason)


def _change_status(desk: Desk, user: str, status: str, reason: str) -> None:
    path = f"/admin/people/{path_part(user)}/status"
    changed = desk.bank.ensure(path, {"status": status, "reason": reason}, method="PUT")
    desk.screen.item(changed, PERSON)
