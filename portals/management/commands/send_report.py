"""Send the report of a month to the super admins."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from core import clock
from core.errors import DomainError
from core.management.base import BankCommand
from portals.reports.monthly import NobodyToSendTo, made_report, next_copy, send_report
from transactions.reporting.month import Month


class Command(BankCommand):
    """Make the report if it was not, and mail it to each super admin who has not had it."""

    help = "Mail the report of a month that is over, as 2026-10, to the super admins."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the month, and whether who has had it gets another copy."""
        parser.add_argument("month", help="as 2026-10")
        parser.add_argument("--again", action="store_true", help="also to who has had it")

    def handle(self, *, month: str, again: bool, **_options: Any) -> None:
        """Send it, and say to how many.

        Raises:
            CommandError: the month is not over, the copies are not that far, or nobody is there.
        """
        now = clock.now()
        try:
            report = made_report(Month.parse(month, now=now), now=now)
            count = send_report(report, copy=next_copy(report) if again else 0, now=now)
        except NobodyToSendTo as error:
            message = f"Nobody is a super admin, so nobody gets the report of {error}."
            raise CommandError(message) from error
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"The report of {report} goes to {count} more super admins.")
