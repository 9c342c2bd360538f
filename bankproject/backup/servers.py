"""The nodes' servers as the role bank_backup reaches them, and PostgreSQL's own backup programs."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import connections
from psycopg.conninfo import make_conninfo

from bankproject.backup.failures import BackupFailed
from bankproject.backup.repository import Repository, bytes_of
from bankproject.runtime.errors import StartError
from bankproject.runtime.postgres import embedded
from core.db.addresses import ENCRYPTED
from core.db.sql import queries

# Its slot and its application's name, too: synchronous_standby_names may name it.
ROLE: Final = "bank_backup"
QUERIES: Final = queries(Path(__file__).parent / "sql" / "servers.sql")
_CONNECT_SECONDS: Final = 2


def configured() -> Repository:
    """Return the folder of backups that the settings name.

    Raises:
        BackupFailed: they name none, or nobody who may receive the nodes' logs.
    """
    repository = folder()
    _role()
    if not repository.certificate.exists():
        message = f"{repository.folder} has no certificate; run manage.py backup configure"
        raise BackupFailed(message)
    return repository


def folder() -> Repository:
    """Return the folder of backups that the settings name, ready or not.

    Raises:
        BackupFailed: they name none.
    """
    if settings.BACKUP_FOLDER is None:
        message = "BACKUP_FOLDER is not set: where backups go"
        raise BackupFailed(message)
    return Repository(settings.BACKUP_FOLDER.resolve())


def connect(node: str) -> psycopg.Connection:
    """Connect to a node's database as bank_backup, in autocommit.

    Raises:
        psycopg.OperationalError: it does not answer, or does not know the role.
    """
    conninfo = make_conninfo(_conninfo(node), password=_role()["PASSWORD"])
    return psycopg.connect(conninfo, connect_timeout=_CONNECT_SECONDS, autocommit=True)


def one(line: psycopg.Connection, query: str, values: Sequence[Any] = ()) -> Any:
    """Return the row that a named query has; None when it has none."""
    return line.execute(QUERIES[query], values).fetchone()


def forks_before(node: str, timeline: int) -> dict[int, int]:
    """Return the places, as numbers, at which the timelines before one of a node's were left.

    Raises:
        psycopg.Error: the node does not answer, or does not know the timeline.
    """
    conninfo = make_conninfo(
        _conninfo(node),
        password=_role()["PASSWORD"],
        replication="true",
        client_encoding="utf8",
        connect_timeout=_CONNECT_SECONDS,
    )
    # Such a connection knows neither parameters nor comments.
    with psycopg.connect(conninfo, autocommit=True, cursor_factory=psycopg.ClientCursor) as line:
        _file, history = one(line, "history", [timeline])
    found = (text.split() for text in history.splitlines() if text and not text.startswith("#"))
    return {int(words[0]): bytes_of(words[1]) for words in found}


def command(program: str, node: str, *words: str) -> list[str]:
    """Return the command that runs one of PostgreSQL's programs on a node; it asks no password.

    Raises:
        BackupFailed: the program is not on this machine.
    """
    found = tool(program, by_tls=_goes_by_tls(node))
    return [found, "--no-password", f"--dbname={_conninfo(node)}", *words]


def environment() -> Mapping[str, str]:
    """Return the environment of those programs: no argument shows the password."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C", "PGPASSWORD": _role()["PASSWORD"]}


def tool(program: str, *, by_tls: bool = False) -> str:
    """Return where one of PostgreSQL's programs is: those of the bank's own server, else others.

    The bank's own speak no TLS.

    Raises:
        BackupFailed: it is not on this machine.
    """
    found = shutil.which(program) if by_tls else _own_tool(program) or shutil.which(program)
    if found is None:
        message = f"{program} is not on this machine; install PostgreSQL's client programs"
        raise BackupFailed(message)
    return found


def _own_tool(program: str) -> str | None:
    try:
        return shutil.which(program, path=embedded().folder)
    except StartError:
        return None


def _goes_by_tls(node: str) -> bool:
    return connections[node].settings_dict["OPTIONS"].get("sslmode") in ENCRYPTED


def _role() -> Mapping[str, Any]:
    if settings.BACKUP_DATABASE is None:
        message = "BACKUP_DATABASE_URL is not set: as whom the nodes' logs are received"
        raise BackupFailed(message)
    return settings.BACKUP_DATABASE


def _conninfo(node: str) -> str:
    known = connections[node].settings_dict
    parts = {
        **{name: value for name, value in known["OPTIONS"].items() if isinstance(value, str)},
        "host": known["HOST"],
        "port": known["PORT"],
        "dbname": known["NAME"],
        "user": _role()["USER"],
        "application_name": ROLE,
    }
    return make_conninfo("", **{name: str(value) for name, value in parts.items() if value})
