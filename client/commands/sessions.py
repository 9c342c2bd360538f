"""``bank login``, ``logout``, ``whoami``."""

from typing import Annotated

import typer

from client.command import BankCommand
from client.desk import Desk, desk_of
from client.screen import Column

PERSON = (
    Column("Name", "full_name"),
    Column("User id", "user_id"),
    Column("E-mail", "email"),
    Column("Role", "role"),
    Column("Status", "status"),
)


def login(
    context: typer.Context,
    email: Annotated[str | None, typer.Option(help="Your e-mail address.")] = None,
) -> None:
    """Log in; the password and one-time codes are asked for, never given as options.

    Examples:
        bank login
        bank login --email asha@example.org --url https://bank.example
    """
    desk = desk_of(context)
    enter(desk, email=email)
    desk.screen.next("bank accounts list")


def enter(desk: Desk, *, email: str | None) -> None:
    """Log in at the desk.

    Raises:
        Failure: the bank does not let them in, or nobody can type a password.
    """
    email = email or desk.questions.text("E-mail", option="--email")
    password = desk.questions.secret("Password")
    desk.door.log_in(email=email, password=password, questions=desk.questions, screen=desk.screen)
    desk.screen.note(f"Logged in as {email}.")


def logout(context: typer.Context) -> None:
    """Log out, here and at the bank.

    Examples:
        bank logout
    """
    desk = desk_of(context)
    desk.door.log_out()
    desk.screen.note("Logged out.")


def whoami(context: typer.Context) -> None:
    """Show who is logged in.

    Examples:
        bank whoami
        bank whoami --json
    """
    desk = desk_of(context)
    desk.screen.item(desk.bank.get("/me"), PERSON)


def add_to(app: typer.Typer) -> None:
    """Make these commands known."""
    for command in (login, logout, whoami):
        app.command(cls=BankCommand)(command)
