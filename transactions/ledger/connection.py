"""How Python talks to the ledger's functions: one named query, typed parameters, one round trip."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg
from django.db import connections
from psycopg.rows import RowFactory, args_row, namedtuple_row

from core.db.errors import passing_errors_translated
from core.db.patience import within_patience
from core.db.reading import note_used
from core.db.sql import queries
from transactions.ledger.codes import refusal_in

Row = TypeVar("Row")
_SQL: Final = Path(__file__).parent / "sql"
QUERIES: Final = {
    **queries(_SQL / "queries.sql"),
    **queries(_SQL / "statements.sql"),
    **queries(_SQL / "interest.sql"),
}


@contextmanager
def ledger_cursor(
    using: str, row_factory: RowFactory[Any] = namedtuple_row
) -> Iterator[psycopg.Cursor[Any]]:
    """Yield a cursor with server-side parameters on Django's own connection to a node.

    It joins the transaction that is open there, if any, else each statement is its own.

    Raises:
        Refused: the ledger refuses; outside a transaction nothing is written.
        Busy: a lock, a deadlock or a shutdown was in the way; nothing is written.
    """
    wrapper = connections[using]
    note_used(using)
    wrapper.ensure_connection()
    with passing_errors_translated():
        try:
            with (
                within_patience(wrapper.connection),
                psycopg.Cursor(wrapper.connection, row_factory=row_factory) as cursor,
            ):
                cursor.format = psycopg.pq.Format.BINARY
                yield cursor
        except psycopg.Error as error:
            # What Django's own cursor would have noted: look at the connection, and roll back.
            wrapper.errors_occurred = True
            wrapper.needs_rollback = wrapper.in_atomic_block
            refusal = refusal_in(error)
            if refusal is None:
                raise
            if refusal.rests_on_others and not wrapper.in_atomic_block:
                wait_for_disk(using)
            raise refusal from error


def fetch_all(name: str, parameters: Mapping[str, Any], using: str) -> list[Any]:
    """Run a named query and return its rows as named tuples."""
    with ledger_cursor(using) as cursor:
        return cursor.execute(QUERIES[name], parameters, prepare=True).fetchall()


def fetch_as(
    kind: Callable[..., Row], name: str, parameters: Mapping[str, Any], using: str
) -> list[Row]:
    """Run a named query and return its rows, each made of its columns in their order."""
    with ledger_cursor(using, args_row(kind)) as cursor:
        return cursor.execute(QUERIES[name], parameters, prepare=True).fetchall()


def fetch_one(name: str, parameters: Mapping[str, Any], using: str) -> Any:
    """Run a named query and return its only row; None when there is none."""
    with ledger_cursor(using) as cursor:
        return cursor.execute(QUERIES[name], parameters, prepare=True).fetchone()


def wait_for_disk(using: str) -> None:
    """Return when all that was committed on a node so far is on disk; outside a transaction.

    Raises:
        psycopg.OperationalError: it cannot be told, as of a commit that is not answered. Never
            Busy, which would say that nothing was done.
    """
    wrapper = connections[using]
    try:
        with within_patience(wrapper.connection):
            wrapper.connection.execute(QUERIES["wait_for_disk"])
    except psycopg.Error:
        wrapper.errors_occurred = True
        raise
