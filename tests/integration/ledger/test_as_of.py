"""What an account held at an instant, once said, stays so, whatever was in flight."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Final

import psycopg
import pytest

from bankproject.runtime.postgres import BankUrls
from core.clock import now
from tests.factories import account
from tests.integration.ledger.raw import WAYS, post_on
from tests.servers import TestServer
from transactions.ledger.invariants import check_books
from transactions.ledger.reads import balance_at

each_way = pytest.mark.parametrize("way", WAYS)
DEADLINE_SECONDS: Final = 30
_WAITING: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


class Desk:
    """Connections at work beside the test's own, and who of them waits for a lock."""

    def __init__(self, urls: BankUrls, superuser: psycopg.Connection) -> None:
        """Work on one bank."""
        self.urls = urls
        self.superuser = superuser
        self.pool = ThreadPoolExecutor()

    def ask(self, number: int, at: datetime) -> Future[int]:
        """Ask for a balance at an instant."""

        def asking() -> int:
            with psycopg.connect(self.urls.app) as asker:
                row = asker.execute("SELECT ledger.balance_at_v1(%s, %s)", [number, at]).fetchone()
                assert row is not None
                return int(row[0])

        return self.pool.submit(asking)

    def post(self, debit: int, credit: int, way: str) -> Future[None]:
        """Post and commit."""

        def posting() -> None:
            with psycopg.connect(self.urls.app) as poster:
                post_on(poster, debit, credit, way=way)

        return self.pool.submit(posting)

    def wait_for_waiting(self, count: int, *, unless: Future[int] | None = None) -> None:
        """Wait until so many wait for a lock, or for an answer that needs no waiting."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.superuser.execute(_WAITING).fetchone() != (count,):
            if unless is not None and unless.done():
                return
            assert time.monotonic() < deadline, f"there are never {count} waiting"
            time.sleep(0.01)


@pytest.fixture
def desk(fresh_bank: BankUrls, server: TestServer) -> Iterator[Desk]:
    """Return a desk of the test's own bank."""
    database = fresh_bank.app.rpartition("/")[2]
    with psycopg.connect(server.superuser_url(database), autocommit=True) as superuser:
        desk = Desk(fresh_bank, superuser)
        with desk.pool:
            yield desk


@each_way
@pytest.mark.parametrize(("ending", "expected"), [("commit", 101), ("rollback", 100)])
def test_a_posting_in_flight_is_waited_for(
    desk: Desk, way: str, ending: str, expected: int
) -> None:
    payer, payee = account(balance=100), account(balance=100)
    with psycopg.connect(desk.urls.app) as in_flight:
        post_on(in_flight, payer, payee, way=way)
        at = now()
        asked = desk.ask(payee, at)
        desk.wait_for_waiting(1)
        getattr(in_flight, ending)()
    assert asked.result(DEADLINE_SECONDS) == expected
    desk.post(payer, payee, way).result(DEADLINE_SECONDS)
    assert balance_at(payee, at=at) == expected


@each_way
@pytest.mark.parametrize("payer_first", [True, False])
@pytest.mark.parametrize("payer_asked", [True, False])
def test_a_posting_that_waited_with_its_clock_read_does_not_come_in_before(
    desk: Desk, way: str, *, payer_first: bool, payer_asked: bool
) -> None:
    low, high, third = (account(balance=100) for _number in range(3))
    payer, payee = (low, high) if payer_first else (high, low)
    number = payer if payer_asked else payee
    with psycopg.connect(desk.urls.app) as blocking:
        post_on(blocking, payer, third)
        posted = desk.post(payer, payee, way)
        desk.wait_for_waiting(1)
        at = now()
        asked = desk.ask(number, at)
        # A posting that has not come to this account yet is not waited for: it comes in after.
        desk.wait_for_waiting(2, unless=asked)
        blocking.commit()
    posted.result(DEADLINE_SECONDS)
    said = asked.result(DEADLINE_SECONDS)
    assert balance_at(number, at=at) == said
    assert check_books().findings == []


def test_many_may_ask_at_once(desk: Desk) -> None:
    number = account(balance=100)
    for _round in range(20):
        at = now()
        asked = [desk.ask(number, at) for _asker in range(4)]
        assert [said.result(DEADLINE_SECONDS) for said in asked] == [100] * 4
