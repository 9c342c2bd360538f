"""What tests expect of a refusal: its code, and that nothing was written."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from transactions.ledger.codes import Code, Refused

_STATE = """
SELECT
    (SELECT count(*) FROM ledger.journal), (SELECT count(*) FROM ledger.request),
    (SELECT count(*) FROM ledger.hold WHERE state = 'open'),
    (SELECT count(*) FROM ledger.reference), (SELECT count(*) FROM ledger.account_event),
    (SELECT sum(version) FROM ledger.account), (SELECT sum(held) FROM ledger.account),
    (SELECT sum(spent) FROM ledger.payee_limit)
"""


@contextmanager
def refusing(reason: Code) -> Iterator[None]:
    """Expect the ledger to refuse the block for this reason and to write nothing."""
    before = _state()
    with pytest.raises(Refused) as caught, transaction.atomic():
        yield
    assert caught.value.reason is reason
    assert _state() == before


def _state() -> tuple[object, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        row: tuple[object, ...] = cursor.fetchone()
    return row
