"""What tests expect of a refusal: its code, and that nothing was written."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from transactions.ledger.codes import Code, Refused

_STATE = """
SELECT
    (SELECT count(*) FROM ledger.journal), (SELECT count(*) FROM ledger.request),
    (SELECT count(*) FROM ledger.hold WHERE state = 'open'),
    (SELECT count(*) FROM ledger.reference), (SELECT count(*) FROM ledger.account_event),
    (SELECT sum(last_tick) FROM ledger.account), (SELECT sum(held) FROM ledger.account),
    (SELECT sum(spent) FROM ledger.payee_limit)
"""


@contextmanager
def refusing(reason: Code) -> Iterator[None]:
    """Expect the ledger to refuse the block for this reason and to write nothing."""
    with nothing_written(), pytest.raises(Refused) as caught, transaction.atomic():
        yield
    assert caught.value.reason is reason


@contextmanager
def nothing_written() -> Iterator[None]:
    """Expect the block to change nothing in the ledger."""
    before = _state()
    yield
    assert _state() == before


@contextmanager
def statements_counted(patch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Collect every statement that the block sends to a database, by whichever road.

    What threads in the background ask from time to time is none of it.
    """
    sent: list[object] = []
    here = threading.get_ident()
    execute = psycopg.Cursor.execute

    def counted(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() == here:
            sent.append(query)
        return execute(cursor, query, *args, **kwargs)

    with patch.context() as patched:
        patched.setattr(psycopg.Cursor, "execute", counted)
        yield sent


class _Remembered:
    """Stands for names that the process remembers from the page before."""

    @staticmethod
    def of(_numbers: object) -> dict[int, Any]:
        return {}


def remember_names(patch: pytest.MonkeyPatch) -> None:
    """Let no name be asked for: pages are counted as those are that follow another one."""
    patch.setattr("transactions.selectors._identities", _Remembered())
    patch.setattr("transactions.parties._owners_names", _Remembered())


def _state() -> tuple[object, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        row: tuple[object, ...] = cursor.fetchone()
    return row
