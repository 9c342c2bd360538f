"""Who waits at an account leaves it before the disk has what was posted, and is answered after."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg
import pytest
from django.db import connection

from bankproject.runtime.postgres import BankUrls
from tests.factories import account, inr, order
from tests.integration.ledger.raw import is_on_disk, log_written_late, post_ahead_of_the_disk
from tests.servers import TestServer
from transactions.branches.outcomes import OutcomeUnknown, silence_named
from transactions.branches.registry import HEAD_OFFICE
from transactions.ledger.codes import Code, Refused
from transactions.ledger.connection import QUERIES
from transactions.ledger.posting import Transfer, post

_ARGUMENTS: Final = "(0, NULL, %s, %s, 1, 'INR', 'fee', 'api', '2026-03-02')"
POST: Final[LiteralString] = f"SELECT flushed FROM ledger.post_v2{_ARGUMENTS}"
POST_AS_BEFORE: Final[LiteralString] = f"SELECT 'no word' FROM ledger.post_v1{_ARGUMENTS}"


@pytest.fixture
def pair(fresh_bank: BankUrls) -> tuple[int, int]:
    """Return two accounts, the payer's first."""
    assert fresh_bank
    return account(balance=100), account(balance=100)


@contextmanager
def posting_behind(
    bank: BankUrls, number: int, statement: LiteralString, pair: tuple[int, int]
) -> Iterator[tuple[psycopg.Connection, Future[Any]]]:
    """Post, in a transaction left open, what somebody at an account keeps waiting for a while."""
    with (
        psycopg.connect(bank.app) as ahead,
        psycopg.connect(bank.app) as behind,
        ThreadPoolExecutor(1) as pool,
    ):
        ahead.execute("SELECT pg_advisory_xact_lock(%s)", [number])
        answer = pool.submit(lambda: behind.execute(statement, pair).fetchone())
        wait_until(lambda: count_blocked(ahead) == 1)
        ahead.rollback()
        yield behind, answer


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def commits(connection: psycopg.Connection) -> str:
    """Return how the open transaction ends."""
    row = connection.execute("SELECT current_setting('synchronous_commit')").fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("place", [0, 1])
def test_who_waited_says_that_it_is_not_on_disk(
    fresh_bank: BankUrls, pair: tuple[int, int], place: int
) -> None:
    with posting_behind(fresh_bank, pair[place], POST, pair) as (behind, answer):
        assert answer.result() == (False,)
        assert commits(behind) == "off"
        behind.commit()
        assert commits(behind) == "on"


def test_who_did_not_wait_has_it_on_disk_when_it_is_committed(
    fresh_bank: BankUrls, pair: tuple[int, int]
) -> None:
    with psycopg.connect(fresh_bank.app) as alone:
        assert alone.execute(POST, pair).fetchone() == (True,)
        assert commits(alone) == "on"


def test_an_earlier_release_has_it_on_disk_in_any_case(
    fresh_bank: BankUrls, pair: tuple[int, int]
) -> None:
    with posting_behind(fresh_bank, pair[0], POST_AS_BEFORE, pair) as (behind, answer):
        assert answer.result() == ("no word",)
        assert commits(behind) == "on"


def test_an_answer_that_is_lost_at_the_disk_is_no_answer(
    fresh_bank: BankUrls, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    own_end = "SELECT pg_terminate_backend(pg_backend_pid())"
    monkeypatch.setitem(QUERIES, "wait_for_disk", own_end)
    with psycopg.connect(fresh_bank.app) as ahead, ThreadPoolExecutor(1) as pool:
        ahead.execute("SELECT pg_advisory_xact_lock(%s)", [pair[0]])
        asked = pool.submit(transfer_by_a_thread, *pair)
        wait_until(lambda: count_blocked(ahead) == 1)
        ahead.rollback()
        with pytest.raises(OutcomeUnknown):
            asked.result()
        posted = ahead.execute("SELECT FROM ledger.journal WHERE debit = %s", [pair[0]])
        assert posted.fetchall() == [()]


def test_who_is_refused_because_of_what_is_not_on_disk_is_told_when_it_is(
    fresh_bank: BankUrls, pair: tuple[int, int], server: TestServer
) -> None:
    payer, payee = pair
    with log_written_late(server):
        place = post_ahead_of_the_disk(fresh_bank.app, payer, payee, 100)
        with pytest.raises(Refused) as refused:
            post(Transfer(payer, payee, inr(1)), order=order())
        assert is_on_disk(fresh_bank.app, place)
    assert refused.value.reason is Code.INSUFFICIENT_FUNDS


def transfer_by_a_thread(payer: int, payee: int) -> None:
    """Send money as the bank's services do, by a connection that is closed in the end."""
    try:
        with silence_named(HEAD_OFFICE):
            post(Transfer(payer, payee, inr(1)), order=order())
    finally:
        connection.close()


def count_blocked(asking: psycopg.Connection) -> int:
    """Return how many of the bank's statements wait for an account."""
    row = asking.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND"
        " database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchone()
    assert row is not None
    return int(row[0])
