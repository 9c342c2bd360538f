"""Whether a database may carry the bank: it keeps what it commits, and knows today's schema."""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor


class UnfitNodeError(Exception):
    """Say in one line why the bank must not run on a database."""


def refuse_unfit_nodes() -> None:
    """Check every configured database; leave no connection open.

    Raises:
        UnfitNodeError: one is unreachable, not durable, or older than the code.
    """
    _each_node(_refuse_forgetful, _refuse_outdated)


def refuse_forgetful_nodes() -> None:
    """Check, before anything is written, that every configured database keeps what it commits.

    Raises:
        UnfitNodeError: one is unreachable or not durable.
    """
    _each_node(_refuse_forgetful)


def _each_node(*checks: Callable[[str], None]) -> None:
    for alias in settings.DATABASES:
        try:
            for check in checks:
                check(alias)
        except DatabaseError as error:
            message = f"database {alias!r} does not answer: {' '.join(str(error).split())}"
            raise UnfitNodeError(message) from error
        finally:
            connections[alias].close()


def _refuse_forgetful(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        for name in ("fsync", "synchronous_commit"):
            cursor.execute("SELECT current_setting(%s)", [name])
            (value,) = cursor.fetchone()
            if value == "off":
                message = f"database {alias!r} runs with {name} = off: it would lose money; set on"
                raise UnfitNodeError(message)


def _refuse_outdated(alias: str) -> None:
    missing = pending_migrations(alias)
    if missing:
        message = (
            f"database {alias!r} is older than the code "
            f"({len(missing)} migrations, first {missing[0]}); run manage.py migrate"
        )
        raise UnfitNodeError(message)


def pending_migrations(alias: str) -> list[str]:
    """Return the migrations that the code has and the database ``alias`` has not, in order."""
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]
