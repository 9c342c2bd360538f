"""Put a month's statements into the mail."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core import clock
from core.errors import DomainError
from core.management.base import BankCommand
from transactions.reporting.month import Month
from transactions.statements.monthly import StatementsMissing, mail_statements


class Command(BankCommand):
    """Mail the statements of a month that were not mailed yet; safe to stop and to repeat."""

    help = (
        "Put the statements of MONTH into the mail to who asked for them, each once."
        " The worker does it by itself on the first of the next month."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the month."""
        parser.add_argument("month", help="YYYY-MM, a month that is over")

    def handle(self, *, month: str, **_options: Any) -> None:
        """Mail them, and say how many.

        Raises:
            CommandError: it is no month, or some could not be made; run it again for those.
        """
        now = clock.now()
        try:
            mailed = mail_statements(Month.parse(month, now=now), now=now)
        except (DomainError, StatementsMissing) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{mailed} statements of {month} put into the mail")
