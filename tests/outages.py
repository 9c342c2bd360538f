"""Nodes that are down: their servers refuse connections, as after a crash."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections
from psycopg import sql

from bankproject.runtime.postgres import BankUrls
from tests.servers import TestServer


@contextmanager
def node_down(server: TestServer, urls: BankUrls) -> Iterator[None]:
    """Let a node's database end all its connections and refuse new ones, for the block."""
    database = urls.app.rpartition("/")[2]
    _allow(server, database, is_allowed=False)
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}"
    server.run(sql.SQL(ending).format(sql.Literal(database)))
    # As between two requests, where connections that are gone are noticed.
    connections.close_all()
    try:
        yield
    finally:
        _allow(server, database, is_allowed=True)


def _allow(server: TestServer, database: str, *, is_allowed: bool) -> None:
    statement = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
    server.run(sql.SQL(statement).format(sql.Identifier(database), sql.Literal(is_allowed)))
