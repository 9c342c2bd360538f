"""Who needs several accounts queues for all before any row: nobody waits in a circle."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg
import pytest

from bankproject.runtime.postgres import BankUrls
from tests.factories import TODAY, account, inr, order
from tests.integration.ledger.raw import post_on
from tests.integration.ledger.test_hot_accounts import wait_until
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import Transfer, post

PATIENCE_SECONDS: Final = 30
Work = Callable[[psycopg.Connection], Any]


class Crowd:
    """Sessions that stand before an account's number, one behind the other."""

    def __init__(self, url: str, number: int) -> None:
        self._url = url
        self._open = ExitStack()
        self._pool = self._open.enter_context(ThreadPoolExecutor())
        self._gate = self._open.enter_context(psycopg.connect(url, autocommit=True))
        self._gate.execute("SELECT pg_advisory_lock(%s)", [number])
        self._number = number
        self._begun: list[Future[Any]] = []

    def begin(self, work: Work) -> None:
        """Let the next one come, until it waits or is done."""
        session = self._open.enter_context(psycopg.connect(self._url, autocommit=True))
        begun = self._pool.submit(work, session)
        self._begun.append(begun)
        wait_until(lambda: begun.done() or self._waits(session.info.backend_pid))

    def pass_on(self) -> None:
        """Let them at the account; raises what happened to one of them."""
        self._gate.execute("SELECT pg_advisory_unlock(%s)", [self._number])
        for begun in self._begun:
            begun.result(timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        """Let everybody go."""
        self._open.close()

    def _waits(self, pid: int) -> bool:
        row = self._gate.execute(
            "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = %s", [pid]
        ).fetchone()
        return row == (True,)


@pytest.fixture
def accounts(fresh_bank: BankUrls) -> list[int]:
    """Return three accounts with money, in the order of their numbers."""
    assert fresh_bank
    return [account(balance=1_000) for _account in range(3)]


@pytest.fixture
def paid(accounts: list[int]) -> UUID:
    """Return a transfer from the last account to the one before."""
    return post(Transfer(accounts[2], accounts[1], inr(10)), order=order()).transfer_id


@pytest.fixture
def crowd(fresh_bank: BankUrls, accounts: list[int], paid: UUID) -> Iterator[Crowd]:
    """Give a crowd before the last account."""
    assert paid
    made = Crowd(fresh_bank.app, accounts[-1])
    yield made
    made.close()


def placing_a_hold(number: int, payee: int) -> Work:
    """Return what sets money aside."""
    return lambda session: session.execute(
        "SELECT ledger.hold_v1(0, %s, %s, %s, 1, 'INR', now() + interval '1 day', %s)",
        [str(uuid4()), number, payee, TODAY],
    )


def reversing(transfer_id: UUID) -> Work:
    """Return what reverses a transfer."""
    return lambda session: session.execute(
        "SELECT ledger.reverse_v1(0, %s, %s, 'api', %s)", [str(uuid4()), transfer_id, TODAY]
    )


def posting(debit: int, credit: int, way: str) -> Work:
    """Return what posts one of the ways."""
    return lambda session: post_on(session, debit, credit, way=way)


@pytest.mark.parametrize("other", ["reversal", "full", "short"])
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
def test_a_hold_for_a_lower_number_passes_with_what_pays_both(
    accounts: list[int], paid: UUID, crowd: Crowd, other: str, *, is_first: bool
) -> None:
    _lowest, low, high = accounts
    works = [
        placing_a_hold(high, low),
        reversing(paid) if other == "reversal" else posting(low, high, other),
    ]
    for work in works if is_first else reversed(works):
        crowd.begin(work)
    crowd.pass_on()
    assert check_books().findings == []


def test_a_batch_which_takes_rows_alone_passes_with_pairs_that_wait(
    accounts: list[int], crowd: Crowd
) -> None:
    lowest, low, high = accounts
    crowd.begin(posting(lowest, high, "short"))
    crowd.begin(posting(low, high, "full"))
    crowd.begin(posting(lowest, low, "batch"))
    crowd.pass_on()
    assert check_books().findings == []
