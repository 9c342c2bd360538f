"""Posting on a connection of the test's own, so that it decides when to commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from tests.servers import TestServer

_ARGUMENTS: Final = """
    0, %(key)s, %(debit)s, %(credit)s, %(minor)s, 'INR', 'fee', 'api', '2026-03-02'
"""
WAYS: Final[dict[str, LiteralString]] = {
    "short": f"SELECT transfer_id FROM ledger.post_v2({_ARGUMENTS})",
    "full": f"SELECT transfer_id FROM ledger.post_fully_v1({_ARGUMENTS})",
    "batch": """
        SELECT first_id FROM ledger.post_batch_v1(
            0, %(key)s, ARRAY[least(%(debit)s, %(credit)s), greatest(%(debit)s, %(credit)s)],
            ARRAY[1 + (%(debit)s > %(credit)s)::integer],
            ARRAY[1 + (%(credit)s > %(debit)s)::integer],
            ARRAY[%(minor)s], ARRAY['INR'], ARRAY['fee'], 'api', '2026-03-02'
        )
    """,
}


def post_on(
    connection: psycopg.Connection, debit: int, credit: int, minor: int = 1, *, way: str = "full"
) -> UUID:
    """Post inside the connection's transaction and return the transfer's id."""
    parameters = {"key": str(uuid4()), "debit": debit, "credit": credit, "minor": minor}
    row = connection.execute(WAYS[way], parameters).fetchone()
    assert row is not None
    transfer_id: UUID = row[0]
    return transfer_id


@contextmanager
def log_written_late(server: TestServer) -> Iterator[None]:
    """Let the server write its log when somebody waits for it, and else every ten seconds."""
    server.run(sql.SQL("ALTER SYSTEM SET wal_writer_delay = '10s'"))
    server.run(sql.SQL("SELECT pg_reload_conf()"))
    try:
        yield
    finally:
        server.run(sql.SQL("ALTER SYSTEM RESET wal_writer_delay"))
        server.run(sql.SQL("SELECT pg_reload_conf()"))


def post_ahead_of_the_disk(url: str, debit: int, credit: int, minor: int = 1) -> str:
    """Commit a posting without waiting for the disk, and return how far the log has to come."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        post_on(connection, debit, credit, minor)
        row = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
    assert row is not None
    return str(row[0])


def is_on_disk(url: str, place: str) -> bool:
    """Tell whether the log is on disk as far as that."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_current_wal_flush_lsn() >= %s", [place]).fetchone()
    return row == (True,)
