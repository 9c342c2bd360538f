"""Posting on a connection of the test's own, so that it decides when to commit."""

from uuid import UUID, uuid4

import psycopg

POST = """
SELECT transfer_id FROM ledger.post_fully_v1(
    0, %(key)s, %(debit)s, %(credit)s, %(minor)s, 'INR', 'fee', 'api', '2026-03-02'
)
"""


def post_on(connection: psycopg.Connection, debit: int, credit: int, minor: int = 1) -> UUID:
    """Post inside the connection's transaction and return the transfer's id."""
    parameters = {"key": str(uuid4()), "debit": debit, "credit": credit, "minor": minor}
    row = connection.execute(POST, parameters).fetchone()
    assert row is not None
    transfer_id: UUID = row[0]
    return transfer_id
