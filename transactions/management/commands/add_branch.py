"""Add a branch with a ledger of its own to the bank, while it runs."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser

from core import clock
from core.db.fitness import UnfitNodeError, refuse_unfit_nodes
from core.errors import DomainError
from core.management.base import BankCommand
from transactions.branches.joining import join_branch


class Command(BankCommand):
    """Check a database, migrate it and make it the node of a branch; safe to repeat."""

    help = (
        "Make the database at URL the ledger of the branch CODE. Its server needs the bank's roles"
        " (deploy/postgres), with the same passwords as the head office's. Workers that run notice"
        " the branch within two seconds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the branch's code, name and address."""
        parser.add_argument("code", help="two to eight capital letters and digits, as MUM")
        parser.add_argument("name", help="as people know it: Mumbai")
        parser.add_argument("url", help="postgresql://bank_app:PASSWORD@HOST:PORT/DATABASE")
        parser.add_argument("--number", type=int, help="account numbers begin with it: 201 to 999")

    def handle(
        self, *, code: str, name: str, url: str, number: int | None, **_options: Any
    ) -> None:
        """Add the branch.

        Raises:
            CommandError: with one line that says why it cannot join; nothing was registered.
        """
        try:
            refuse_unfit_nodes()
            branch = join_branch(code=code, name=name, url=url, number=number, now=clock.now())
        except (DomainError, ImproperlyConfigured, UnfitNodeError) as error:
            message = f"{code} cannot join: {error}"
            raise CommandError(message) from error
        self.stdout.write(f"Branch {branch.code} {branch.name}, number {branch.number}, has joined")
