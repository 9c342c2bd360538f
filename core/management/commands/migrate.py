"""Migrate the bank's databases as their owner."""

from collections.abc import Callable
from functools import partial
from time import sleep
from typing import Any, Final

import structlog
from django.core.checks import Tags
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import DatabaseError, OperationalError, connections
from django.db.migrations.recorder import MigrationRecorder
from psycopg import errors

from core.db.aliases import HEAD_OFFICE, REPLICA, find_all, is_branch, primaries
from core.db.fitness import UnfitNodeError, known_migrations, refuse_newer
from core.db.owner import as_owner
from core.db.rendering import SparingExecutor
from core.db.router import LEDGER_APP

# With these, Django changes nothing, or no more than it is told.
SPARING: Final = ("app_label", "plan", "check_unapplied")
# Who waits for a table's lock holds up all who come later: transfers wait no longer than this for a
# migration, which gives way, and tries again when they have been served.
LOCK_WAIT: Final = "500ms"
MOST_TRIES: Final = 120
PAUSE_SECONDS: Final = 1.0
_IN_THE_WAY: Final = (errors.LockNotAvailable, errors.DeadlockDetected)

_log = structlog.get_logger(__name__)

# Django's command asks for no other way to choose it.
migrate.MigrationExecutor = SparingExecutor  # type: ignore[attr-defined]  # not in the stubs


class Command(migrate.Command):
    """Django's own command, connected as bank_owner: the application's role changes no schema."""

    help = "Migrate all nodes, replica first, head office last; with --database one of them."
    # The rest of Django's checks are of the code; tests make them.
    requires_system_checks = (Tags.database,)

    def add_arguments(self, parser: CommandParser) -> None:
        """Know the nodes that joined since, too; no database named means all."""
        find_all()
        super().add_arguments(parser)
        parser.set_defaults(database=None)

    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """Check what will be migrated; Django expects one database."""
        chosen = [options["database"]] if options["database"] else _in_order()
        return {**super().get_check_kwargs(options), "databases": chosen}

    def handle(self, *args: Any, database: str | None, **options: Any) -> None:
        """Migrate the named database, or every node, while the bank works.

        Raises:
            CommandError: a node does not answer, or is newer than the code, and none was changed;
                or a node's tables were in use for minutes: what was migrated before stays.
        """
        chosen = [database] if database else _in_order()
        for alias in chosen:
            _refuse_unfit(alias, may_be_newer=bool(options["app_label"]))
        for alias in chosen:
            if len(chosen) > 1 and options["verbosity"]:
                self.stdout.write(self.style.MIGRATE_HEADING(f"Database {alias}:"))
            with as_owner(alias):
                if is_branch(alias) and not any(options[name] for name in SPARING):
                    _record_models(alias)
                work = partial(super().handle, *args, database=alias, **options)
                _give_way(alias, work)


def _in_order() -> list[str]:
    """Return the nodes in the order in which a new schema reaches them.

    The replica comes first: it must be able to take what a migrated node sends. The head office
    comes last: it tells that the code may be used.
    """
    replica = [REPLICA] if REPLICA in connections else []
    branches = [alias for alias in primaries() if alias != HEAD_OFFICE]
    return [*replica, *branches, HEAD_OFFICE]


def _record_models(alias: str) -> None:
    """Record the migrations of models, of which a branch has nothing: Django would take seconds."""
    recorder = MigrationRecorder(connections[alias])
    recorder.ensure_schema()
    for app, name in known_migrations() - recorder.applied_migrations().keys():
        if app != LEDGER_APP:
            recorder.record_applied(app, name)


def _refuse_unfit(alias: str, *, may_be_newer: bool) -> None:
    try:
        with as_owner(alias):
            connections[alias].ensure_connection()
            if not may_be_newer:
                refuse_newer(alias)
    except UnfitNodeError as error:
        raise CommandError(str(error)) from error
    except DatabaseError as error:
        reason = " ".join(str(error).split())
        message = f"database {alias!r} does not answer, nothing was migrated: {reason}"
        raise CommandError(message) from error


def _give_way(alias: str, work: Callable[[], object]) -> None:
    """Migrate a node; let those pass who use its tables, and go on from where it stopped.

    Raises:
        CommandError: they never let the migration pass.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_WAIT}'")
    for tries in range(1, MOST_TRIES + 1):
        try:
            work()
        except OperationalError as error:
            if not isinstance(error.__cause__, _IN_THE_WAY):
                raise
            reason = " ".join(str(error).split())
            _log.info("migration_gives_way", node=alias, tries=tries, reason=reason)
            sleep(PAUSE_SECONDS)
        else:
            return
    message = f"database {alias!r} is too busy to be migrated; try again when it is not"
    raise CommandError(message)
