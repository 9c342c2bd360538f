"""Move an account to another branch, while the bank runs."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.numbers import parse_account_number
from core.errors import DomainError
from core.management.base import BankCommand
from transactions.branches.moving import move_account
from transactions.branches.outcomes import OutcomeUnknown
from transactions.ledger.posting import BANK_CLIENT


class Command(BankCommand):
    """Move one account with all that belongs to it; asking again for what is done is refused."""

    help = (
        "Let the account NUMBER live on the node of the branch CODE (HO: the head office). The"
        " number stays as it is, and so does what it was before: statements show both as one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the account's number and the branch's code."""
        parser.add_argument("number", help="twelve digits; spaces and hyphens are allowed")
        parser.add_argument("code", help="of a branch with a node of its own, as MUM; or HO")

    def handle(self, *, number: str, code: str, **_options: Any) -> None:
        """Move the account, and say as JSON from where to where.

        Raises:
            CommandError: with one line that says why it was not moved, or that nobody can tell yet.
        """
        try:
            moved = move_account(parse_account_number(number), code=code, client=BANK_CLIENT)
        except OutcomeUnknown as error:
            message = f"{number} has moved, or has not: ask again, which moves nothing twice"
            raise CommandError(message) from error
        except DomainError as error:
            message = f"{number} was not moved: {error}"
            raise CommandError(message) from error
        self.stdout.write(json.dumps(asdict(moved)))
