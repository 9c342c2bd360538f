"""Print how Patroni leads one member of a node."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from bankproject.failover import NoCluster, patroni_configuration
from core.db.aliases import find_all, primaries
from core.management.base import BankCommand


class Command(BankCommand):
    """Print a configuration without secrets, made of the node's address and of the template."""

    help = "Print Patroni's configuration of one member of a node (docs/howto/failover.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Know the node and the member."""
        parser.add_argument("node", help="the branch's code, or default for the head office")
        parser.add_argument(
            "--member", type=int, required=True, help="its place in the node's address, from 1"
        )

    def handle(self, *, node: str, member: int, **_options: Any) -> None:
        """Print it.

        Raises:
            CommandError: there is no such node or member, or the node has no standby.
        """
        find_all()
        if node not in primaries():
            message = f"the bank has no node {node}"
            raise CommandError(message)
        try:
            self.stdout.write(patroni_configuration(node, number=member), ending="")
        except NoCluster as error:
            raise CommandError(str(error)) from None
