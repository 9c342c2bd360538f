"""What PostgreSQL plans for the ledger: once, and by accounts' numbers however many there are."""

import json
from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from django.db import connection as django_connection
from psycopg.errors import Diagnostic

from bankproject.runtime.postgres import BankUrls
from tests.servers import TestServer
from transactions.ledger import reads

ACCOUNTS: Final = 100_000
_OPEN: Final = """
INSERT INTO ledger.account (
    number, balance, floor, overdraft_limit, held, side, running, currency, purpose
)
SELECT n, 1000, 1, 0, 1, 1, true, 'INR', 'customer' FROM generate_series(1, %s) AS n
"""
_EXPLAIN: Final = """
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0;
SET auto_explain.log_nested_statements = on;
SET auto_explain.log_format = json;
SET client_min_messages = log
"""
_POST: Final = """
SELECT ledger.post_batch_v1(
    0, %(key)s, (SELECT array_agg(n) FROM generate_series(1, %(items)s + 1) AS n),
    (SELECT array_agg(n) FROM generate_series(1, %(items)s) AS n),
    (SELECT array_agg(n + 1) FROM generate_series(1, %(items)s) AS n),
    array_fill(1::bigint, ARRAY[%(items)s]), array_fill('INR'::text, ARRAY[%(items)s]),
    array_fill('transfer'::text, ARRAY[%(items)s]), 'api', '2026-03-02'
)
"""


@pytest.fixture
def superuser(fresh_bank: BankUrls, server: TestServer) -> Iterator[psycopg.Connection]:
    """Return a connection that may see plans inside functions, to a bank of many accounts."""
    database = fresh_bank.app.rpartition("/")[2]
    with psycopg.connect(server.superuser_url(database), autocommit=True) as connection:
        connection.execute(_OPEN, [ACCOUNTS])
        yield connection


def plans_of_a_batch(connection: psycopg.Connection, items: int) -> list[dict[str, Any]]:
    """Post a batch and return the plan of every statement that the function ran."""
    said: list[str] = []

    def listen(diagnostic: Diagnostic) -> None:
        said.append(diagnostic.message_primary or "")

    connection.execute(_EXPLAIN)
    connection.add_notice_handler(listen)
    connection.execute(_POST, {"key": f"{items}", "items": items})
    connection.remove_notice_handler(listen)
    return [json.loads(text[text.index("{") :]) for text in said if "plan:" in text]


def account_scans(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each step of a plan that reads accounts."""
    if node.get("Relation Name") == "account" and node["Node Type"].endswith("Scan"):
        yield node
    for child in node.get("Plans", []):
        yield from account_scans(child)


@pytest.mark.parametrize("analysed", [False, True], ids=["new", "analysed"])
def test_no_statement_of_a_batch_reads_all_accounts(
    superuser: psycopg.Connection, *, analysed: bool
) -> None:
    if analysed:
        superuser.execute("ANALYZE ledger.account")
    for items in (1, 1_000):
        plans = plans_of_a_batch(superuser, items)
        touching = [plan for plan in plans if any(account_scans(plan["Plan"]))]
        # Locked, tidied of holds that have run out, read, written.
        assert len(touching) >= 4, [plan["Query Text"] for plan in touching]
        for plan in touching:
            for scan in account_scans(plan["Plan"]):
                assert scan["Node Type"] == "Index Scan", plan
                assert "number" in scan.get("Index Cond", ""), plan


@pytest.mark.django_db
def test_queries_are_planned_once_for_all_values() -> None:
    for account in range(1, 8):
        reads.entries(account)
    with django_connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
            " WHERE statement LIKE '%leg.sign%'"
        )
        ((generic, custom),) = cursor.fetchall()
    assert generic >= 7
    assert custom == 0
