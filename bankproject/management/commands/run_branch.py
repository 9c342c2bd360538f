"""Run a branch with a PostgreSQL server of its own on this machine."""

import signal
from types import FrameType
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, connections
from psycopg.conninfo import conninfo_to_dict

from accounts.models import Branch
from bankproject import env
from bankproject.runtime.branch import branch_server
from bankproject.runtime.errors import StartError
from bankproject.runtime.home import Home
from bankproject.runtime.ports import LOOPBACK
from core import clock
from core.db import aliases
from core.db.addresses import database_settings
from core.db.aliases import REPLICA
from core.db.fitness import UnfitNodeError, refuse_unfit_nodes
from core.errors import DomainError
from core.management.base import BankCommand
from core.plaintext import refuse_plaintext
from transactions.branches import replica
from transactions.branches.joining import join_branch
from transactions.branches.models import Node
from transactions.demo.preload import preload_branch

CODE_LENGTH: Final = 3


class Command(BankCommand):
    """Start the server, let it join the bank, and serve until Ctrl-C."""

    help = (
        "Start a PostgreSQL server for the branch NAME, make it a node of the bank that runs here,"
        " or that DATABASE_URL and OWNER_DATABASE_URL name, and stay until Ctrl-C. Its data lie"
        " under BANK_VAR; the next start finds them again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the branch's name and where its server listens."""
        parser.add_argument("name", help="as people know it: Delhi")
        parser.add_argument("--code", help="as MUM; default: from the name")
        parser.add_argument("--host", default=LOOPBACK, help="address of this machine")
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument(
            "--preload", action="store_true", help="open accounts 1001 and 1002, if it is empty"
        )
        parser.add_argument(
            "--replica",
            nargs="+",
            default=[],
            metavar="URL",
            help="consolidated replicas that copy the branch, as bank_readonly",
        )

    def handle(self, *, name: str, code: str | None, **options: Any) -> None:
        """Run the branch.

        Raises:
            CommandError: with one line that says why it does not run.
        """
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, _interrupt)
        try:
            self._run(name, code, options)
        except (
            *(DomainError, UnfitNodeError, StartError, ImproperlyConfigured, DatabaseError),
            replica.CannotSubscribe,
        ) as error:
            raise CommandError(" ".join(str(error).split())) from error
        except KeyboardInterrupt:
            self.stdout.write(f"Branch {name} is closed")

    def _run(self, name: str, wanted: str | None, options: dict[str, Any]) -> None:
        remedy = "serve it on loopback, or run a distribution's PostgreSQL and `add_branch`"
        refuse_plaintext(
            name="--host", hosts=[options["host"]], remedy=remedy, allowed=settings.ALLOW_PLAINTEXT
        )
        refuse_unfit_nodes()
        code = wanted or _code_for(name, host=options["host"], port=options["port"])
        try:
            aliases.refuse_bad_code(code)
        except ValueError as error:
            message = f"{error}; choose one with --code"
            raise CommandError(message) from None
        home = Home(folder=env.VAR)
        replicas = [_replica_at(address) for address in options["replica"]]
        with branch_server(home, code, host=options["host"], port=options["port"]) as (server, url):
            branch = join_branch(code=code, name=name, url=url, number=None, now=clock.now())
            if options["preload"]:
                self._preload(branch)
            for database in replicas:
                _copy_to(database, code)
            connections.close_all()
            self.stdout.write(
                f"Branch {code} {branch.name}, number {branch.number}, serves on"
                f" {options['host']}:{options['port']} (Ctrl-C closes it)"
            )
            self.stdout.flush()
            status = server.wait()
        message = f"the server of {code} ended by itself ({status}); see {home.log}"
        raise StartError(message)

    def _preload(self, branch: Branch) -> None:
        accounts = preload_branch(branch, now=clock.now())
        for account in accounts:
            self.stdout.write(f"  {account.name}  {account.number}")
        if not accounts:
            self.stdout.write("  the branch has accounts of its own: none were opened")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _code_for(name: str, *, host: str, port: int) -> str:
    """Return the code of the branch that serves there, else a free one made from the name.

    Raises:
        CommandError: a branch of another name serves there.
    """
    taken = []
    for node in Node.objects.select_related("branch"):
        parts = conninfo_to_dict(node.database_url)
        if (str(parts.get("host")), str(parts.get("port"))) == (host, str(port)):
            return _code_if_named(node.branch, name)
        taken.append(node.branch.code)
    first = name[:CODE_LENGTH].upper()
    tries = (first, *(f"{first}{nth}" for nth in range(2, 100)))
    return next(code for code in tries if code not in taken)


def _code_if_named(branch: Branch, name: str) -> str:
    if branch.name.casefold() != name.casefold():
        message = f"branch {branch.code} {branch.name} has this address; give {name} another port"
        raise CommandError(message)
    return branch.code


def _replica_at(address: str) -> dict[str, Any]:
    """Return the settings of a replica's database.

    Raises:
        ImproperlyConfigured: the address is not understood or not allowed, or nobody may copy.
    """
    if settings.REPLICATION_DATABASE is None:
        message = "--replica needs REPLICATION_DATABASE_URL: as whom a replica copies the branch"
        raise ImproperlyConfigured(message)
    return database_settings(address, name="--replica", allow_plaintext=settings.ALLOW_PLAINTEXT)


def _copy_to(database: dict[str, Any], code: str) -> None:
    """Let a replica copy the branch.

    Raises:
        CannotSubscribe: it does not answer, or is no replica.
    """
    aliases.add(REPLICA, database)
    connections[REPLICA].close()
    del connections[REPLICA]
    call_command("migrate", database=REPLICA, verbosity=0, interactive=False)
    replica.subscribe(code)
