"""Real servers for the tests: one PostgreSQL and one Valkey a run, one bank database a worker.

A pytest plugin, loaded before Django reads its settings. The first process starts the servers and
stops them; the workers of pytest-xdist find them by the environment.
"""

import atexit
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg import sql

from bankproject.runtime import valkey
from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import (
    ROLES,
    SUPERUSER,
    BankUrls,
    Cluster,
    bank_urls,
    create_bank,
    embedded,
)

_FOUND: Final = "BANK_TEST_SERVERS"
_ROOM_BYTES: Final = 4 * 2**30
_SAME_RIGHTS: Final = """
UPDATE pg_database AS made SET datacl = template.datacl
FROM pg_database AS template WHERE template.datname = %s AND made.datname = %s
"""
_PREPARED: Final = "SELECT gid FROM pg_prepared_xacts WHERE database = %s"


@dataclass(frozen=True, kw_only=True)
class TestServer:
    """The PostgreSQL server of this test run."""

    __test__ = False
    cluster: Cluster
    password: str

    def create_bank(self, database: str) -> BankUrls:
        """Make an empty bank database, or put the rights of a copied one in order."""
        return create_bank(
            cluster=self.cluster,
            superuser_password=self.password,
            database=database,
            passwords=dict.fromkeys(ROLES, self.password),
        )

    def urls(self, database: str) -> BankUrls:
        """Return the addresses of a bank database."""
        passwords = dict.fromkeys(ROLES, self.password)
        return bank_urls(cluster=self.cluster, database=database, passwords=passwords)

    def copy(self, template: str, database: str) -> BankUrls:
        """Copy a bank database that nobody is connected to."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy OWNER bank_owner")
        self.run(statement.format(sql.Identifier(database), sql.Identifier(template)))
        # Who may connect is all of database.sql that is not copied.
        self._superuser.execute(_SAME_RIGHTS, [template, database])
        return self.urls(database)

    def drop(self, database: str) -> None:
        """Drop a database, whoever is connected to it, and what is prepared in it."""
        self._roll_back_prepared(database)
        self.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def _roll_back_prepared(self, database: str) -> None:
        prepared = self._superuser.execute(_PREPARED, [database]).fetchall()
        if prepared:
            with psycopg.connect(self.superuser_url(database), autocommit=True) as inside:
                for (gid,) in prepared:
                    inside.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))

    @contextmanager
    def making(self, database: str) -> Iterator[bool]:
        """Tell one worker after the other whether a database is still to be made, by a copy."""
        with psycopg.connect(self.superuser_url(), autocommit=True) as turn:
            turn.execute("SELECT pg_advisory_lock(hashtext(%s))", [database])
            known = turn.execute("SELECT FROM pg_database WHERE datname = %s", [database])
            yield known.fetchone() is None

    @contextmanager
    def copied(self, template: str, database: str) -> Iterator[BankUrls]:
        """Yield a copy of a bank database, dropped in the end."""
        urls = self.copy(template, database)
        try:
            yield urls
        finally:
            self.drop(database)

    def superuser_url(self, database: str = "postgres") -> str:
        """Return the superuser's address of a database."""
        return self.cluster.url(database=database, role=SUPERUSER, password=self.password)

    def run(self, statement: sql.SQL | sql.Composed) -> None:
        """Run one statement as the superuser, outside any bank."""
        self._superuser.execute(statement)

    @cached_property
    def _superuser(self) -> psycopg.Connection:
        """Return one connection for all statements: most cost less than to connect."""
        return psycopg.connect(self.superuser_url(), autocommit=True)

    def close(self) -> None:
        """Close that connection."""
        self._superuser.close()


def test_server() -> TestServer:
    """Return this run's PostgreSQL server."""
    found = json.loads(os.environ[_FOUND])
    cluster = Cluster(binaries=embedded(), folder=Path(found["folder"]), port=found["port"])
    return TestServer(cluster=cluster, password=found["password"])


def worker_name() -> str:
    """Return the name of this worker of pytest-xdist, or ``main``."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def _worker_number() -> int:
    """Return a number of this worker's own, also of its database in Valkey, of which it has 16."""
    return int(worker_name().removeprefix("gw").replace("main", "-1")) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Start the servers, in the first process, and point this one's settings at its own bank."""
    if _FOUND not in os.environ:
        _start()
    urls = test_server().create_bank(f"test_{worker_name()}")
    os.environ.update(
        DATABASE_URL=urls.app,
        OWNER_DATABASE_URL=urls.owner,
        REDIS_URL=f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{_worker_number()}",
        SECRET_KEY=secrets.token_urlsafe(48),
        DJANGO_SETTINGS_MODULE="bankproject.settings.test",
    )


def _choose_quick_folder() -> None:
    """Let what tests write go to memory, if there is a folder with room: they make many banks.

    What must outlive a crash is proved on a disk, by `make prove` and `make faults`.
    """
    memory = Path("/dev/shm")  # noqa: S108  # whoever writes there makes a folder of their own
    if memory.is_dir() and shutil.disk_usage(memory).free >= _ROOM_BYTES:
        os.environ.setdefault("TMPDIR", str(memory))
        tempfile.tempdir = None


def _start() -> None:
    """Start the servers; they stop with this process, and their data go."""
    _choose_quick_folder()
    # Hundreds of processes are started: each would compile the bank anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    folder = Path(tempfile.mkdtemp(prefix="bank-tests-"))
    folder.chmod(0o755)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    password = secrets.token_urlsafe(16)
    # Two runs that begin at once must not choose the same port.
    port = first_free(21_000 + secrets.randbelow(900))
    # Replicas of several workers may be filled at once.
    settings = {
        "max_active_replication_origins": "64",
        "max_replication_slots": "64",
        "max_wal_senders": "64",
        "max_wal_size": "1GB",
        # Each new database begins with pages whole in the log, in memory that is soon free again.
        "wal_compression": "off",
        # Guessing a password may be easy here; connecting is, too, and tests do little else.
        "scram_iterations": "1",
    }
    cluster = Cluster(binaries=embedded(), folder=folder / "postgres", port=port, settings=settings)
    cluster.create(password=password)
    cluster.start()
    atexit.register(cluster.stop, mode="immediate")
    broker = valkey.Valkey(
        binary=valkey.embedded(),
        folder=folder / "valkey",
        port=first_free(port + 1_000),
        password=secrets.token_urlsafe(16),
    )
    atexit.register(broker.start().terminate)
    found = {"folder": str(cluster.folder), "port": cluster.port, "password": password}
    os.environ[_FOUND] = json.dumps(found)
    os.environ["REDIS_URL"] = broker.url
    os.environ["BANK_VAR"] = str(folder / "var")
