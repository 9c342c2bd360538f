"""Open a bank: make its database, bring its schema to the code's, fill a new one with the demo.

A process of its own between the servers' start and the bank's: it alone is told the owner's
address. What it prints is for the person at the terminal, its complaint is one line.
"""

import argparse
import io
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import replace
from typing import Final

import django
import psycopg
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from rich.console import Console

from bankproject import env
from bankproject.runtime import postgres
from bankproject.runtime.errors import StartError
from bankproject.runtime.history import History, read_history, write_history
from bankproject.runtime.home import Home
from bankproject.runtime.planning import DATABASE, OWN_BRANCHES, clusters_of
from core import clock
from core.db.aliases import REPLICA, primaries
from core.db.fitness import (
    UnfitNodeError,
    pending_migrations,
    refuse_forgetful_nodes,
    refuse_newer,
)
from core.db.owner import as_owner
from core.errors import DomainError

OWN_SERVER_SECONDS: Final = 600.0
OTHER_SERVER_SECONDS: Final = 5.0

EXPECTED: Final = (
    StartError,
    DomainError,
    UnfitNodeError,
    ImproperlyConfigured,
    CommandError,
    DatabaseError,
    psycopg.Error,
    OSError,
)


def main() -> int:
    """Open the bank; return the process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", help="what tells this bank's database from others")
    parser.add_argument(
        "--server", action="append", default=[], help="ALIAS=PORT of an embedded server"
    )
    arguments = parser.parse_args()
    ports = {alias: int(port) for alias, _, port in (s.partition("=") for s in arguments.server)}
    try:
        _open(Home(folder=env.VAR), arguments.database, ports)
    except EXPECTED as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 1
    return 0


def _open(home: Home, database: str, ports: Mapping[str, int]) -> None:
    console = Console(highlight=False)
    if ports:
        for alias, cluster in clusters_of(home, ports).items():
            _create_database(home, cluster, is_replica=alias == REPLICA)
    else:
        postgres.wait_until_ready(env.text("OWNER_DATABASE_URL"), seconds=OTHER_SERVER_SECONDS)
    console.print("[green]✓[/] PostgreSQL")
    django.setup()
    refuse_forgetful_nodes()
    _migrate(console)
    _join_branches(console)
    _fill_replica(console)
    history = replace(read_history(home, database), nodes=sorted(settings.DATABASES))
    _load_demo(home, console, history)


def _create_database(home: Home, cluster: postgres.Cluster, *, is_replica: bool) -> None:
    """Make roles and database where they are missing. A server may first have to recover."""
    secrets = home.load_secrets()
    superuser = cluster.url(
        database="postgres", role=postgres.SUPERUSER, password=secrets["postgres"]
    )
    postgres.wait_until_ready(superuser, seconds=OWN_SERVER_SECONDS)
    postgres.create_bank(
        cluster=cluster,
        superuser_password=secrets["postgres"],
        database=DATABASE,
        passwords=secrets,
        is_replica=is_replica,
    )


def _migrate(console: Console) -> None:
    for alias in primaries():
        refuse_newer(alias)
    pending = sum(len(pending_migrations(alias)) for alias in primaries())
    if REPLICA in settings.DATABASES:
        with as_owner(REPLICA):
            pending += len(pending_migrations(REPLICA))
    if pending:
        console.print(f"[dim]  migrating: {pending} steps …[/]")
        call_command("migrate", interactive=False, verbosity=0)
    console.print("[green]✓[/] Schema")


def _join_branches(console: Console) -> None:
    """Make the configured databases branches of the bank, where they are not yet."""
    from transactions.branches import joining, registry

    known = set(registry.nodes())
    for code, url in env.branch_urls("BRANCH_DATABASE_URLS").items():
        if code not in known:
            name = OWN_BRANCHES.get(code, code)
            joining.join_branch(code=code, name=name, url=url, number=None, now=clock.now())
            console.print(f"[green]✓[/] Branch {code} {name}")


def _fill_replica(console: Console) -> None:
    """Subscribe the replica to every node. What is copied flows in by itself, later on, too."""
    from transactions.branches import replica

    if replica.is_configured():
        replica.set_up()
        console.print("[green]✓[/] Replica")


def _load_demo(home: Home, console: Console, history: History) -> None:
    """Fill an empty bank with the demo, and go on where an earlier start was broken off."""
    if not settings.BANK_DEMO:
        write_history(home, replace(history, demo="unwanted", logins=""))
        return
    if history.demo == "unknown":
        has_people = get_user_model().objects.exists()
        history = replace(history, demo="unwanted" if has_people else "begun")
        write_history(home, history)
    if history.demo == "begun":
        # Its progress is for the terminal; the opening's own standard error is its log.
        with redirect_stderr(sys.stdout):
            call_command("load_demo")
    if history.demo != "unwanted":
        console.print("[green]✓[/] Demo bank")
        logins = io.StringIO()
        call_command("load_demo", show_logins=True, stdout=logins)
        write_history(home, replace(history, demo="loaded", logins=logins.getvalue()))


if __name__ == "__main__":
    sys.exit(main())
