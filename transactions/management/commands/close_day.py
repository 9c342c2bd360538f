"""Close the bank's days."""

from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from core import clock
from core.db.fitness import UnfitNodeError, refuse_unfit_nodes
from core.errors import DomainError
from core.management.base import BankCommand
from core.money import Money
from transactions.closing.days import close_days
from transactions.closing.models import ClosingStep


class Command(BankCommand):
    """Close a day and the missed ones before it; safe to stop at any instant and to repeat."""

    help = (
        "Queue standing orders, send what is due, keep and post interest, charge fees, and store"
        " the bank's position, for each day up to DATE that is not closed yet. `manage.py watch`"
        " does it by itself."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the last day to close."""
        parser.add_argument(
            "date", nargs="?", type=date.fromisoformat, help="YYYY-MM-DD; yesterday if left out"
        )

    def handle(self, *, date: date | None, **_options: Any) -> None:
        """Close the days, and say of each step what it made.

        Raises:
            CommandError: with one line that says why it stopped; run it again to go on.
        """
        now = clock.now()
        until = date or clock.bank_day(now) - timedelta(days=1)
        try:
            refuse_unfit_nodes()
            closed = close_days(until=until, now=now, report=self._report)
        except (DomainError, UnfitNodeError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            message = f"the database failed; close again: {' '.join(str(error).split())}"
            raise CommandError(message) from error
        for day in closed:
            self.stdout.write(f"{day} closed")
        if not closed:
            self.stdout.write(f"{until} was closed before")

    def _report(self, step: ClosingStep) -> None:
        amounts = [str(Money(minor, name)) for name, minor in step.amounts.items()]
        left_out = [f"{count} left out: {reason}" for reason, count in step.left_out.items()]
        said = ", ".join([f"{step.name} {step.items}", *amounts, *left_out])
        self.stdout.write(f"{step.day} {said}")
