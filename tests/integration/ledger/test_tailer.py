"""A tailer misses nothing and sees nothing twice, however late a transfer commits."""

import random
import threading
import time
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest
from django.db import Error, connection

from accounts.models import Branch
from bankproject.runtime.postgres import BankUrls
from core.db.errors import Busy
from tests.factories import account
from tests.integration.ledger.raw import (
    is_on_disk,
    log_written_late,
    post_ahead_of_the_disk,
    post_on,
)
from tests.servers import TestServer
from transactions.ledger.codes import Code, Refused
from transactions.ledger.tailer import tailed

DEADLINE_SECONDS = 30


class IdCursor:
    """What a tailer must not be: a cursor over ids."""

    def __init__(self) -> None:
        """Begin at the beginning."""
        self.last = UUID(int=0)

    def read(self) -> list[UUID]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM ledger.journal WHERE id > %s ORDER BY id", [self.last])
            found = [row[0] for row in cursor.fetchall()]
        self.last = found[-1] if found else self.last
        return found


def read_tail(name: str = "test") -> list[UUID]:
    with tailed(name) as transfers:
        return [transfer.transfer_id for transfer in transfers]


def read_until(enough: Callable[[list[UUID]], bool]) -> list[UUID]:
    """Read until it is enough; any transaction on the server holds tailers back for a while."""
    seen: list[UUID] = []
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not enough(seen):
        assert time.monotonic() < deadline, f"{len(seen)} transfers seen, and no more come"
        seen += read_tail()
        time.sleep(0.01)
    return seen


def test_what_is_given_is_on_disk(fresh_bank: BankUrls, server: TestServer) -> None:
    payer, payee = account(balance=100), account()
    read_until(lambda seen: len(seen) == 1)
    with log_written_late(server):
        place = post_ahead_of_the_disk(fresh_bank.app, payer, payee)
        given = False
        while not given:
            with tailed("test") as transfers:
                given = bool(transfers)
                assert not given or is_on_disk(fresh_bank.app, place)


def test_slow_and_prepared_commits_are_seen_where_an_id_cursor_passes_them(
    fresh_bank: BankUrls,
) -> None:
    pairs = [(account(balance=100), account()) for _pair in range(3)]
    by_id = IdCursor()
    seen_by_id = by_id.read()
    with (
        psycopg.connect(fresh_bank.app) as slow,
        psycopg.connect(fresh_bank.app) as preparing,
        psycopg.connect(fresh_bank.app) as fast,
    ):
        late = post_on(slow, *pairs[0])
        prepared = post_on(preparing, *pairs[1])
        preparing.execute("PREPARE TRANSACTION 'tailer-test'")
        preparing.autocommit = True
        early = post_on(fast, *pairs[2])
        fast.commit()
        seen_by_id += by_id.read()
        seen_so_far = [*read_tail(), *read_tail()]
        slow.commit()
        preparing.execute("COMMIT PREPARED 'tailer-test'")
    seen_by_id += by_id.read()
    assert early in seen_by_id
    assert not {late, prepared} & set(seen_by_id), "an id cursor should have missed them"
    assert not {late, prepared, early} & set(seen_so_far)
    seen = seen_so_far + read_until(lambda ids: len(ids) + len(seen_so_far) >= 6)
    assert len(seen) == len(set(seen)) == 6
    assert {late, prepared, early} < set(seen)


def test_a_busy_node_is_read_whole_and_once(fresh_bank: BankUrls) -> None:
    pairs = [(account(balance=10_000), account()) for _pair in range(6)]
    posted: list[UUID] = read_until(lambda ids: len(ids) == 6)
    threads = [
        threading.Thread(target=post_at_random, args=(fresh_bank.app, pair, number, posted))
        for number, pair in enumerate(pairs)
    ]
    for thread in threads:
        thread.start()
    seen: list[UUID] = []
    while any(thread.is_alive() for thread in threads):
        seen += read_tail()
    for thread in threads:
        thread.join()
    missing = len(posted) - 6 - len(seen)
    seen += read_until(lambda ids: len(ids) >= missing)
    assert len(seen) == len(set(seen))
    assert set(seen) == set(posted[6:])


def post_at_random(url: str, pair: tuple[int, int], number: int, posted: list[UUID]) -> None:
    dice = random.Random(number)
    with psycopg.connect(url) as poster:
        for turn in range(20):
            posted.append(post_on(poster, *pair))
            time.sleep(dice.choice((0.0, 0.0, 0.02)))
            if dice.random() < 0.3:
                name = f"tailer-{number}-{turn}"
                poster.execute(f"PREPARE TRANSACTION '{name}'")
                poster.autocommit = True
                time.sleep(dice.choice((0.0, 0.03)))
                poster.execute(f"COMMIT PREPARED '{name}'")
                poster.autocommit = False
            poster.commit()


@pytest.mark.usefixtures("fresh_bank")
class TestTheCursor:
    def test_is_saved_with_the_effect(self) -> None:
        account(balance=100)
        read_until_some()
        account(balance=100)
        branch_for_each_transfer()
        assert Branch.objects.count() == 1
        assert read_tail() == []

    def test_is_not_saved_when_the_effect_fails(self) -> None:
        account(balance=100)
        with pytest.raises(ZeroDivisionError):
            branch_for_each_transfer(then=lambda: 1 // 0)
        assert Branch.objects.count() == 0
        branch_for_each_transfer()
        assert Branch.objects.count() == 1

    def test_is_not_saved_when_the_connection_is_killed(self, server: TestServer) -> None:
        account(balance=100)
        with pytest.raises((Error, psycopg.Error, Busy)):
            branch_for_each_transfer(then=lambda: kill_own_backend(server))
        connection.close()
        assert Branch.objects.count() == 0
        branch_for_each_transfer()
        assert Branch.objects.count() == 1

    def test_of_another_server_is_refused(self, server: TestServer) -> None:
        read_tail()
        url = server.superuser_url(str(connection.settings_dict["NAME"]))
        with psycopg.connect(url) as superuser:
            superuser.execute("UPDATE ledger.tail SET cluster = cluster + 1")
        with pytest.raises(Refused) as refused:
            read_tail()
        assert refused.value.reason is Code.OTHER_CLUSTER


def read_until_some() -> None:
    read_until(lambda ids: len(ids) == 1)


def branch_for_each_transfer(then: Callable[[], object] = lambda: None) -> None:
    """Open a branch for each new transfer, then do ``then``; all in the tailer's transaction."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        with tailed("test") as transfers:
            for number, _transfer in enumerate(transfers, start=Branch.objects.count() + 100):
                Branch.objects.create(code=f"B{number}", number=number, name="Effect")
            if transfers:
                then()
                return
        time.sleep(0.01)
    pytest.fail("no transfer came")


def kill_own_backend(server: TestServer) -> None:
    connection.ensure_connection()
    with psycopg.connect(server.superuser_url(), autocommit=True) as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid]
        )
