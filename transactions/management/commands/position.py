"""Print what the bank holds, exact while money moves."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from core import clock
from core.errors import DomainError
from core.management.base import BankCommand
from core.money import Money
from transactions.branches.position import Position, take_position


class Command(BankCommand):
    """Take the position over all nodes; exit 1 when it is not sound."""

    help = "Show what the accounts of all nodes hold, at one point between two transfers."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer JSON, with amounts in minor units."""
        parser.add_argument("--json", action="store_true", help="amounts in minor units")

    def handle(self, *, json: bool, **_options: Any) -> None:
        """Print the position.

        Raises:
            CommandError: a node does not answer, or transfers did not come to rest.
        """
        try:
            position = take_position(now=clock.now())
        except DomainError as error:
            raise CommandError(error.message) from error
        if json:
            self.stdout.write(_as_json(position))
        else:
            console = Console(highlight=False)
            with console.capture() as shown:
                console.print(_as_table(position))
            self.stdout.write(shown.get(), ending="")
        if not position.is_sound:
            raise SystemExit(1)


def _as_json(position: Position) -> str:
    answer = {**asdict(position), "taken_at": position.taken_at.isoformat()}
    return json.dumps({**answer, "is_sound": position.is_sound}, indent=2)


def _as_table(position: Position) -> Table:
    table = Table(
        "Node", "Purpose", "Accounts", "Balance", title=f"Position of {position.taken_at:%F %T} UTC"
    )
    for found in position.sums:
        amount = str(Money(found.balance, found.currency))
        table.add_row(found.node, found.purpose, str(found.accounts), amount)
    table.add_section()
    for currency, minor in position.customers.items():
        table.add_row("all", "customers", "", str(Money(minor, currency)))
        in_transit = Money(position.in_transit[currency], currency)
        table.add_row("all", "in transit", "", str(in_transit))
    return table
