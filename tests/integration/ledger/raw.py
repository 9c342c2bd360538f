"""Posting on a connection of the test's own, so that it decides when to commit."""

from typing import Final, LiteralString
from uuid import UUID, uuid4

import psycopg

_ARGUMENTS: Final = """
    0, %(key)s, %(debit)s, %(credit)s, %(minor)s, 'INR', 'fee', 'api', '2026-03-02'
"""
WAYS: Final[dict[str, LiteralString]] = {
    "short": f"SELECT transfer_id FROM ledger.post_v1({_ARGUMENTS})",
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
