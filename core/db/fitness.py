"""Whether a database may carry the bank: it keeps what it commits, and knows today's schema.

A migration's name says which older code gets along with it: after ``0031_post_v2_since_0030``
every release works on that has its app's ``0030``. Without such an ending no older one starts.
"""

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

import structlog
from django.apps import apps
from django.db import DatabaseError, OperationalError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from core.db.aliases import HEAD_OFFICE, find_all, primaries

OLDEST_MAJOR: Final = 15
ENCODING: Final = "UTF8"

Check = Callable[[str], None]

_NUMBER: Final = re.compile(r"(?:\d{4}_squashed_)?(\d{4})")
_SINCE: Final = re.compile(r"_since_(\d{4})$")

_more_checks: Final[list[Check]] = []
_log = structlog.get_logger(__name__)


class UnfitNodeError(Exception):
    """Say in one line why the bank must not run on a database."""


def checked_by(check: Check) -> None:
    """Register what else tells an unfit node: it raises UnfitNodeError for an alias."""
    _more_checks.append(check)


def refuse_unfit_nodes() -> None:
    """Check every node; leave no connection open. Branches that are down are left to come back.

    Raises:
        UnfitNodeError: the head office is unreachable, or a node is not durable, cannot take part
            in transfers between branches, is older or newer than the code or another bank's.
    """
    _each_node(refuse_forgetful, _refuse_outdated, refuse_newer, *_more_checks)


def refuse_forgetful_nodes() -> None:
    """Check, before anything is written, that every node keeps what it commits.

    Raises:
        UnfitNodeError: the head office is unreachable, or a node is not durable.
    """
    _each_node(refuse_forgetful)


def _each_node(*checks: Check) -> None:
    find_all()
    for alias in primaries():
        try:
            for check in checks:
                check(alias)
        except DatabaseError as error:
            reason = " ".join(str(error).split())
            if alias == HEAD_OFFICE or not isinstance(error, OperationalError):
                message = f"database {alias!r} does not answer: {reason}"
                raise UnfitNodeError(message) from error
            _log.warning("branch_is_down", node=alias, error=reason)
        finally:
            connections[alias].close()


def refuse_forgetful(alias: str) -> None:
    """Check that a node keeps what it commits and, among others, what it prepares.

    Raises:
        UnfitNodeError: it does not.
    """
    refused = {"fsync": "off", "synchronous_commit": "off"}
    if primaries() != [alias]:
        refused["max_prepared_transactions"] = "0"
    for name, wrong in refused.items():
        if setting(alias, name) == wrong:
            why, remedy = (
                ("it could not take part in transfers between branches", "set it to 100")
                if name == "max_prepared_transactions"
                else ("it would lose money", "set on")
            )
            message = f"database {alias!r} runs with {name} = {wrong}: {why}; {remedy}"
            raise UnfitNodeError(message)


def setting(alias: str, name: str) -> str:
    """Return a setting of a database's server, as a connection of the bank has it."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        (value,) = cursor.fetchone()
    return str(value)


def refuse_outdated_server(alias: str) -> None:
    """Check that a server is of a release that the bank knows.

    Raises:
        UnfitNodeError: it is older.
    """
    version = int(setting(alias, "server_version_num"))
    if version // 10_000 < OLDEST_MAJOR:
        message = (
            f"database {alias!r} is on PostgreSQL {version // 10_000}; "
            f"{OLDEST_MAJOR} or newer is needed"
        )
        raise UnfitNodeError(message)


def refuse_other_encoding(alias: str) -> None:
    """Check that a database takes every letter that a name may have.

    Raises:
        UnfitNodeError: it does not.
    """
    encoding = setting(alias, "server_encoding")
    if encoding != ENCODING:
        message = (
            f"database {alias!r} is encoded in {encoding}, not {ENCODING}: not every name could be "
            f"written; make it anew with ENCODING '{ENCODING}'"
        )
        raise UnfitNodeError(message)


def _refuse_outdated(alias: str) -> None:
    missing = pending_migrations(alias)
    if missing:
        message = (
            f"database {alias!r} is older than the code "
            f"({len(missing)} migrations, first {missing[0]}); run manage.py migrate"
        )
        raise UnfitNodeError(message)


def refuse_newer(alias: str) -> None:
    """Check that no later release has migrated a database past what this code gets along with.

    Raises:
        UnfitNodeError: one has.
    """
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    newer = newer_migrations(known_migrations(), applied)
    strange = [name for name, gets_along in newer.items() if not gets_along]
    if strange:
        message = (
            f"database {alias!r} is newer than the code "
            f"({len(strange)} migrations, first {strange[0]}); run the release that migrated it"
        )
        raise UnfitNodeError(message)
    if newer:
        _log.info("schema_is_newer", node=alias, migrations=list(newer))


def newer_migrations(
    known: Collection[tuple[str, str]], applied: Collection[tuple[str, str]]
) -> dict[str, bool]:
    """Return what was migrated past the code, in order, and whether the code gets along with it.

    What a library no longer has, and apps that the code has not, make no schema newer.
    """
    newest: dict[str, int] = {}
    for app, name in known:
        newest[app] = max(newest.get(app, 0), _number(name))
    return {
        f"{app}.{name}": _is_for(name, newest[app])
        for app, name in sorted(set(applied) - set(known))
        if app in newest and _number(name) > newest[app]
    }


def _is_for(name: str, newest: int) -> bool:
    """Tell whether a migration gets along with code whose newest one has that number."""
    since = _SINCE.search(name)
    return since is not None and newest >= int(since[1])


def _number(name: str) -> int:
    found = _NUMBER.match(name)
    return int(found[1]) if found else 0


def known_migrations() -> set[tuple[str, str]]:
    """Return the code's migrations by app and name, without loading one: each start looks."""
    return {
        (app.label, file.stem)
        for app in apps.get_app_configs()
        for file in Path(app.path, "migrations").glob("[!_~]*.py")
    }


def pending_migrations(alias: str) -> list[str]:
    """Return the migrations that the code has and the database ``alias`` has not, in order."""
    if known_migrations() <= MigrationRecorder(connections[alias]).applied_migrations().keys():
        return []
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]


def unknown_migrations(alias: str) -> list[str]:
    """Return the migrations that the database ``alias`` has and the code has not."""
    applied = MigrationRecorder(connections[alias]).applied_migrations()
    return [f"{app}.{name}" for app, name in sorted(applied.keys() - known_migrations())]
