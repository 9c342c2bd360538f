"""Who waits at an account leaves it before the disk has what was posted, and is answered after."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg
import pytest

from bankproject.runtime.postgres import BankUrls
from tests.factories import account

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
        wait_until(lambda: is_blocked(ahead, behind))
        ahead.rollback()
        yield behind, answer


def is_blocked(asking: psycopg.Connection, other: psycopg.Connection) -> bool:
    """Tell whether another connection's statement waits for somebody's transaction."""
    row = asking.execute(
        "SELECT cardinality(pg_blocking_pids(%s)) > 0", [other.info.backend_pid]
    ).fetchone()
    return row == (True,)


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
