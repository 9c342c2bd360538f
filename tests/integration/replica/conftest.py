"""A bank of three nodes with its replica."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

from bankproject.runtime.postgres import DEPLOY, BankUrls
from core.db import aliases
from core.db.addresses import database_settings
from tests.branches import Branches
from tests.servers import TestServer, worker_name
from transactions.branches import replica


@pytest.fixture
def replicated(
    branches: Branches, server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[BankUrls]:
    """Give the bank of the test a replica, empty and whole, and return its addresses."""
    database = f"replica_of_{branches.head_office.app.rpartition('/')[2]}"
    as_replica = database_settings(branches.head_office.replica, name="", allow_plaintext=False)
    monkeypatch.setattr(settings, "REPLICATION_DATABASE", as_replica)
    with empty_replica(server, database) as urls:
        aliases.add(
            aliases.REPLICA, database_settings(urls.readonly, name="", allow_plaintext=False)
        )
        try:
            replica.set_up()
            assert replica.wait_until_whole(seconds=20)
            yield urls
        finally:
            aliases.remove(aliases.REPLICA)
            unsubscribe(server.superuser_url(database))


@contextmanager
def empty_replica(server: TestServer, database: str) -> Iterator[BankUrls]:
    """Yield a migrated database that can become a replica, dropped in the end."""
    with server.copied(f"empty_{worker_name()}", database) as urls:
        with psycopg.connect(server.superuser_url(database)) as superuser:
            superuser.execute((DEPLOY / "replica.sql").read_bytes())
            # It is a copy of a head office, which knows its name.
            superuser.execute("ALTER TABLE ledger.this_node DISABLE TRIGGER ALL")
            superuser.execute("DELETE FROM ledger.this_node")
        yield urls


def unsubscribe(url: str) -> None:
    """Drop all subscriptions of a database: while there is one, the database cannot be dropped."""
    with psycopg.connect(url, autocommit=True) as superuser:
        names = superuser.execute(
            "SELECT s.subname FROM pg_subscription AS s JOIN pg_database AS d ON d.oid = s.subdbid "
            "WHERE d.datname = current_database()"
        ).fetchall()
        for (name,) in names:
            identifier = sql.Identifier(name)
            superuser.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(identifier))
            superuser.execute(sql.SQL("DROP SUBSCRIPTION {}").format(identifier))


def eventually(is_so: Callable[[], bool], *, seconds: float = 15) -> bool:
    """Wait until something is so; tell whether it came to be."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.02)
    return False
