"""Make the demo bank."""

from typing import Any

from django.conf import settings
from django.core.management import CommandError, CommandParser
from rich.console import Console
from rich.progress import Progress

from core import clock
from core.management.base import BankCommand
from transactions.demo.burst import add_burst
from transactions.demo.loading import PASSWORD, load_demo, logins

MOST_SHOWN = 6


class Command(BankCommand):
    """Fill this bank with people who do not exist and thirteen months of their lives."""

    help = "Make the demo bank; safe to break off and to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        """Know the option that shows the log-ins."""
        parser.add_argument(
            "--show-logins", action="store_true", help="show who can log in, and make nothing"
        )

    def handle(self, *, show_logins: bool, **_options: Any) -> None:
        """Make the demo, or show its log-ins.

        Raises:
            CommandError: this bank is no demo.
        """
        if not settings.BANK_DEMO:
            message = "this bank is not a demo; BANK_DEMO=1 makes it one, for everybody to log in"
            raise CommandError(message)
        if show_logins:
            self._show_logins()
            return
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("Demo bank", total=None)
            made = load_demo(
                now=clock.now(),
                report=lambda done, total: progress.update(bar, completed=done, total=total),
            )
        if made:
            add_burst(now=clock.now())
        self.stdout.write(f"{made} transfers posted" if made else "The demo bank is there already.")

    def _show_logins(self) -> None:
        found = logins()
        for login in found[:MOST_SHOWN]:
            self.stdout.write(f"  {login.role:9} {login.email:32} {login.name}")
        if len(found) > MOST_SHOWN:
            self.stdout.write(f"  and {len(found) - MOST_SHOWN} more customers")
        self.stdout.write(f"  password  {PASSWORD}")
