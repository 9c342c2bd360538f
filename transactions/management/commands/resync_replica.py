"""Take the replica's copies anew, while the bank runs."""

from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser

from core.db.aliases import find_all, primaries
from core.management.base import BankCommand
from transactions.branches import replica

WAIT_SECONDS: Final = 3_600.0


class Command(BankCommand):
    """Forget the copy of a node, or of all, and wait until it is there again."""

    help = (
        "Drop the replica's copy of NODE, or of every node, and copy it again. Readers ask the"
        " nodes meanwhile. A replica without copies yet is filled by it, too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the node, by its alias."""
        parser.add_argument("node", nargs="?", help="default for the head office, MUM, DEL, …")

    def handle(self, *, node: str | None, **_options: Any) -> None:
        """Copy anew.

        Raises:
            CommandError: there is no replica or no such node, or one of them does not answer.
        """
        find_all()
        if not replica.is_configured():
            message = "REPLICA_DATABASE_URL is not set: there is no replica"
            raise CommandError(message)
        if node is not None and node not in primaries():
            message = f"the bank has no node {node}; it has {', '.join(primaries())}"
            raise CommandError(message)
        try:
            replica.take_form()
            for alias in [node] if node else primaries():
                replica.publish(alias)
                replica.resync(alias)
                self.stdout.write(f"{alias}: copying")
        except (*replica.SILENCE, ImproperlyConfigured) as error:
            raise CommandError(" ".join(str(error).split())) from error
        if not replica.wait_until_whole(seconds=WAIT_SECONDS):
            message = "the copies take longer than an hour; they go on by themselves"
            raise CommandError(message)
        self.stdout.write("Every node's copy is whole.")
