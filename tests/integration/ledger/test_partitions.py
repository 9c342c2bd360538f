"""The journal's partitions: made ahead without stopping the bank; DEFAULT is an alarm."""

import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection
from psycopg import errors
from structlog.testing import capture_logs

from bankproject.runtime.postgres import BankUrls
from core.db.errors import Busy
from tests.factories import account
from tests.integration.ledger.raw import post_on
from transactions.ledger.connection import fetch_one
from transactions.ledger.invariants import check_books
from transactions.upkeep import MONTHS_AHEAD, add_partitions, keep_up

pytestmark = pytest.mark.usefixtures("fresh_bank")


def partitions() -> list[str]:
    return [
        row[0]
        for row in rows(
            "SELECT relid::regclass::text FROM pg_partition_tree('ledger.journal') "
            "WHERE isleaf ORDER BY 1"
        )
    ]


def rows(query: str) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        found: list[tuple[str, ...]] = cursor.fetchall()
    return found


def month_partition(now: datetime) -> str:
    return f"ledger.journal_{now:%Y_%m}"


def test_a_new_bank_has_a_year_of_months_and_an_empty_default() -> None:
    assert len(partitions()) == MONTHS_AHEAD + 2
    assert "ledger.journal_default" in partitions()
    assert month_partition(datetime.now(UTC)) in partitions()


def test_upkeep_makes_the_months_ahead_once_with_their_guards() -> None:
    later = datetime.now(UTC) + timedelta(days=60)
    assert add_partitions(now=later) in {1, 2}
    assert add_partitions(now=later) == 0
    assert check_books().findings == []


def test_a_prepared_posting_does_not_hinder_upkeep(fresh_bank: BankUrls) -> None:
    payer, payee = account(balance=100), account()
    later = datetime.now(UTC) + timedelta(days=400)
    with psycopg.connect(fresh_bank.app) as preparing:
        post_on(preparing, payer, payee)
        preparing.execute("PREPARE TRANSACTION 'partitions-test'")
        preparing.autocommit = True
        added = add_partitions(now=later)
        preparing.execute("ROLLBACK PREPARED 'partitions-test'")
    assert added > 0


def test_a_long_reading_postpones_upkeep_and_no_posting(fresh_bank: BankUrls) -> None:
    payer, payee = account(balance=100), account()
    later = datetime.now(UTC) + timedelta(days=400)
    with psycopg.connect(fresh_bank.app) as reading, psycopg.connect(fresh_bank.app) as posting:
        reading.execute("SELECT count(*) FROM ledger.journal")
        upkeep = threading.Thread(target=posts_for_a_second, args=(posting, payer, payee))
        upkeep.start()
        with pytest.raises(Busy):
            fetch_one("add_partition", {"month": later.date()}, "default")
        assert add_partitions(now=later) == 0
        upkeep.join()
        reading.rollback()
    assert add_partitions(now=later) > 0


def posts_for_a_second(posting: psycopg.Connection, payer: int, payee: int) -> None:
    for _turn in range(10):
        post_on(posting, payer, payee)
        posting.commit()
        time.sleep(0.1)


class TestRowsInDefault:
    @pytest.fixture(autouse=True)
    def month_forgotten(self, fresh_bank: BankUrls) -> None:
        """Take this month's partition away, so that what is posted lands in DEFAULT."""
        with psycopg.connect(fresh_bank.owner) as owner:
            owner.execute(f"DROP TABLE {month_partition(datetime.now(UTC))}".encode())
        account(balance=100)

    def test_raise_an_alarm(self) -> None:
        with capture_logs() as logs:
            keep_up(node="default", now=datetime.now(UTC))
        assert "journal_rows_in_default_partition" in {entry["event"] for entry in logs}
        findings = check_books().findings
        assert {finding.check for finding in findings} == {"the_default_partition_is_empty"}

    def test_become_their_months_without_being_moved(self, fresh_bank: BankUrls) -> None:
        file = "SELECT pg_relation_filepath('{}')"
        before = rows(file.format("ledger.journal_default"))
        month = datetime.now(UTC)
        with psycopg.connect(fresh_bank.owner) as owner:
            owner.execute("SELECT ledger.adopt_default_v1(%s)", [month.date()])
        assert rows(file.format(month_partition(month))) == before
        assert fetch_one("rows_in_default", {}, "default")[0] == 0
        account(balance=100)
        places = rows("SELECT DISTINCT tableoid::regclass::text FROM ledger.journal")
        assert places == [(month_partition(month),)]
        assert check_books().findings == []

    def test_are_left_when_they_are_of_another_month(self, fresh_bank: BankUrls) -> None:
        before = partitions()
        with psycopg.connect(fresh_bank.owner) as owner, pytest.raises(errors.CheckViolation):
            owner.execute("SELECT ledger.adopt_default_v1('2019-05-01')")
        assert partitions() == before
        assert fetch_one("rows_in_default", {}, "default")[0] == 1


def test_a_month_s_entries_are_read_from_its_partition_alone() -> None:
    plan = rows(
        "EXPLAIN SELECT * FROM ledger.journal WHERE debit = 1 "
        "AND id >= ledger.id_from_v1(date_trunc('month', now())) "
        "AND id < ledger.id_from_v1(date_trunc('month', now()) + interval '1 month')"
    )
    whole = " ".join(line for (line,) in plan)
    others = [name for name in partitions() if name != month_partition(datetime.now(UTC))]
    removed = len(others) if "Subplans Removed" in whole else 0
    named = [name for name in others if name.removeprefix("ledger.") in whole]
    assert named == []
    assert removed or month_partition(datetime.now(UTC)).removeprefix("ledger.") in whole
