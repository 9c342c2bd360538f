"""A page of events is found by its place, however long the history is."""

import json
from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest

from bankproject.runtime.postgres import BankUrls
from tests.servers import TestServer
from transactions.events import _QUERIES

ROWS: Final = 30_000
_FILL: Final = """
INSERT INTO ledger.account (number, floor, overdraft_limit, side, running, currency, purpose)
SELECT n, 0, 0, 1, true, 'INR', 'customer' FROM generate_series(1, %(rows)s) AS n;
INSERT INTO ledger.holder (account, user_id, rights)
SELECT n, n, 'owner' FROM generate_series(1, %(rows)s) AS n;
INSERT INTO ledger.journal (id, xid, debit, credit, amount, client, event_at, kind, channel)
SELECT
    ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, '3', n, n + 1, 1, 0, now(),
    'transfer', 'api'
FROM generate_series(1, %(rows)s - 1) AS n;
INSERT INTO ledger.account_event (account, action, client, xid)
SELECT n, 'open', 0, n::text::xid8 FROM generate_series(1, %(rows)s) AS n;
INSERT INTO ledger.hold (id, account, payee, amount, client, placed_day, expires_at, xid)
SELECT
    ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n, n + 1, 1, 0, current_date,
    now(), n::text::xid8
FROM generate_series(1, %(rows)s) AS n;
INSERT INTO ledger.tail (name, cluster, xid, id)
VALUES ('test', 0, %(near_the_end)s::text::xid8, '01900000-0000-7000-8000-000000007000');
ANALYZE ledger.account, ledger.holder, ledger.journal, ledger.account_event, ledger.hold
"""


@pytest.fixture
def superuser(fresh_bank: BankUrls, server: TestServer) -> Iterator[psycopg.Cursor[Any]]:
    """Return a connection to a node with a long history, of which nearly all has been read."""
    database = fresh_bank.app.rpartition("/")[2]
    with psycopg.connect(server.superuser_url(database), cursor_factory=psycopg.ClientCursor) as on:
        yield on.cursor()


def scans(node: dict[str, Any]) -> Iterator[str]:
    """Yield the tables that a plan reads whole."""
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for child in node.get("Plans", []):
        yield from scans(child)


def test_no_query_of_a_feeder_reads_a_table_whole(superuser: psycopg.Cursor[Any]) -> None:
    superuser.execute(_FILL, {"rows": ROWS, "near_the_end": 3})
    page = {
        "name": "test",
        "limit": 500,
        "listeners": [7, 8],
        "id": "01900000-0000-7000-8000-00000000752f",
    }
    for query, text in _QUERIES.items():
        tx = "3" if query == "journal" else str(ROWS)
        superuser.execute(f"EXPLAIN (FORMAT JSON) {text}", {**page, "tx": tx})
        row = superuser.fetchone()
        assert row is not None
        large = {*scans(json.loads(json.dumps(row[0]))[0]["Plan"])} - {"tail", "moved", "reversal"}
        assert large == set(), query
