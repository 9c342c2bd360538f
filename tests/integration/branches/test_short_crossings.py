"""The usual transfer between nodes, by few statements, is the one that the full way would post."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections

from tests.branches import DEL, MUM, Branches
from tests.integration.branches.test_crossing import account_at, balance_of, send
from tests.integration.branches.test_registry import until
from tests.integration.ledger.raw import is_on_disk, log_written_late, post_ahead_of_the_disk
from tests.servers import TestServer
from transactions.branches.clearing import clearing_account, open_clearing
from transactions.branches.commitment import Contended, raise_complaint
from transactions.branches.meetings import note_meeting
from transactions.ledger.accounts import set_limits
from transactions.ledger.codes import Code, Refused

SEND = (
    "SELECT transfer_id FROM ledger.{name}(%s, 1::smallint, 'DEL', %s, 1, %s, %s, %s, %s, 'INR',"
    " 'transfer', 'api', '2026-03-02', NULL, 'rent')"
)
RECEIVE = (
    "SELECT transfer_id FROM ledger.{name}(%s, 1::smallint, 'MUM', %s, 1, %s, %s, %s, 'INR',"
    " 'transfer', 'api', 'rent')"
)
# All that a leg writes, but for what is new at each time: ids and instants.
WRITTEN = (
    "SELECT to_jsonb(a) - 'last_tick' FROM ledger.account AS a WHERE number = %(account)s"
    " UNION ALL SELECT to_jsonb(j) - '{id,xid,event_at}'::text[] FROM ledger.journal AS j"
    " WHERE id = %(id)s UNION ALL SELECT to_jsonb(d) - '{transfer_id,decided_at}'::text[]"
    " FROM ledger.decision AS d WHERE transfer_id = %(id)s"
    " UNION ALL SELECT to_jsonb(v) - '{transfer_id,arrived_at}'::text[]"
    " FROM ledger.arrival AS v WHERE transfer_id = %(id)s"
    " UNION ALL SELECT to_jsonb(r) - '{result_id,requested_at}'::text[]"
    " FROM ledger.request AS r WHERE result_id = %(id)s"
)


@pytest.fixture
def pair(branches: Branches) -> tuple[int, int]:
    """Return an account in Mumbai with ₹10 and an empty one in Delhi."""
    assert branches
    open_clearing(MUM, DEL, currencies=["INR"])
    return account_at(MUM, 1, balance=1_000), account_at(DEL, 1)


@pytest.fixture
def owners(branches: Branches, server: TestServer) -> Iterator[dict[str, psycopg.Connection]]:
    """Give a connection to each node that may also call what is a step of other functions."""
    found = {
        node: psycopg.connect(server.superuser_url(branches.of(node).app.rpartition("/")[2]))
        for node in (MUM, DEL)
    }
    yield found
    for connection in found.values():
        connection.close()


def sending(crossing: UUID, key: str, payer: int, payee: int, minor: int) -> list[Any]:
    """Return what is said to the payer's node."""
    owed = clearing_account(MUM, other=DEL, currency="INR")
    return [crossing, owed, key, payer, payee, minor]


def written(connection: psycopg.Connection, statement: str, asked: list[Any], account: int) -> Any:
    """Return what a leg writes, and roll it back."""
    (found,) = connection.execute(statement, asked).fetchone() or ()
    rows = connection.execute(WRITTEN, {"account": account, "id": found}).fetchall()
    connection.rollback()
    return rows


def test_both_ways_write_the_same(
    pair: tuple[int, int], owners: dict[str, psycopg.Connection]
) -> None:
    payer, payee = pair
    sent = sending(uuid4(), "rent of March", payer, payee, 400)
    due = clearing_account(DEL, other=MUM, currency="INR")
    for node, statement, name, asked, account, tables in (
        (MUM, SEND, "send", sent, payer, 4),
        (DEL, RECEIVE, "receive", [sent[0], due, payer, payee, 400], payee, 3),
    ):
        short, full = (
            written(owners[node], statement.format(name=f"{name}{way}_v1"), asked, account)
            for way in ("", "_fully")
        )
        assert short == full
        assert len(short) == tables


@pytest.mark.parametrize(
    ("minor", "limit", "code"),
    [
        (1_001, None, Code.INSUFFICIENT_FUNDS),
        (501, 500, Code.DAILY_LIMIT_EXCEEDED),
        (0, None, Code.INVALID_AMOUNT),
    ],
)
def test_what_is_not_usual_is_refused_by_its_name(
    pair: tuple[int, int],
    owners: dict[str, psycopg.Connection],
    minor: int,
    limit: int | None,
    code: Code,
) -> None:
    payer, payee = pair
    if limit is not None:
        set_limits(payer, overdraft_limit=0, daily_limit=limit, client=1, reason="", using=MUM)
    with pytest.raises(psycopg.Error) as raised:
        owners[MUM].execute(SEND.format(name="send_v1"), sending(uuid4(), "k", payer, payee, minor))
    with pytest.raises(Refused) as refused:
        raise_complaint(raised.value, MUM)
    assert refused.value.code == code.name.lower()
    assert balance_of(MUM, payer) == 1_000


def test_a_key_that_is_claimed_meanwhile_for_another_account_is_asked_for_again(
    pair: tuple[int, int], owners: dict[str, psycopg.Connection], branches: Branches
) -> None:
    payer, payee = pair
    other = account_at(MUM, 2, balance=1_000)
    first = owners[MUM]
    first.execute(SEND.format(name="send_v1"), sending(uuid4(), "one key", payer, payee, 400))
    with psycopg.connect(branches.mumbai.app) as second, ThreadPoolExecutor(1) as pool:
        asked = sending(uuid4(), "one key", other, payee, 400)
        answer = pool.submit(second.execute, SEND.format(name="send_v1"), asked)
        assert until(lambda: waits(second), seconds=30)
        first.commit()
        with pytest.raises(psycopg.errors.UniqueViolation) as raised:
            answer.result()
    with pytest.raises(Contended):
        raise_complaint(raised.value, MUM)
    assert [balance_of(MUM, account) for account in (payer, other)] == [600, 1_000]


POST = (
    "SELECT transfer_id FROM ledger.post_v2(1, NULL, %s, %s, %s, 'INR', 'transfer', 'api',"
    " '2026-03-02')"
)


@pytest.mark.parametrize("way", ["send", "receive", "post"])
def test_who_waits_for_an_account_posts_at_a_later_instant(
    pair: tuple[int, int], branches: Branches, way: str
) -> None:
    """Whoever takes a day's balances waits for who is at the accounts, not for who queues."""
    payer, payee = pair
    near = account_at(MUM, 2)
    node, account, statement, asked = {
        "send": (MUM, payer, SEND.format(name="send_v1"), sending(uuid4(), "k", payer, payee, 4)),
        "receive": (
            DEL,
            payee,
            RECEIVE.format(name="receive_v1"),
            [uuid4(), clearing_account(DEL, other=MUM, currency="INR"), payer, payee, 4],
        ),
        "post": (MUM, payer, POST, [payer, near, 4]),
    }[way]
    address = branches.of(node).app
    with (
        psycopg.connect(address) as holding,
        psycopg.connect(address) as waiting,
        ThreadPoolExecutor(1) as pool,
    ):
        holding.execute("SELECT pg_advisory_xact_lock(%s)", [account])
        answer = pool.submit(waiting.execute, statement, asked)
        assert until(lambda: waits(waiting, node), seconds=30)
        (released,) = holding.execute("SELECT clock_timestamp()").fetchone() or ()
        holding.rollback()
        (transfer_id,) = answer.result().fetchone() or ()
        (at,) = waiting.execute("SELECT ledger.id_time_v1(%s)", [transfer_id]).fetchone() or ()
    assert at > released


def test_who_is_refused_because_of_what_is_not_on_disk_is_told_when_it_is(
    pair: tuple[int, int], branches: Branches, server: TestServer
) -> None:
    payer, payee = pair
    near = account_at(MUM, 2)
    # One node after the other: what the payee's prepares would write the log, which both have here.
    note_meeting(payer, payee)
    with log_written_late(server):
        place = post_ahead_of_the_disk(branches.mumbai.app, payer, near, balance_of(MUM, payer))
        with pytest.raises(Refused) as refused:
            send(payer, payee, 100)
        assert is_on_disk(branches.mumbai.app, place)
    assert refused.value.reason is Code.INSUFFICIENT_FUNDS


def waits(connection: psycopg.Connection, node: str = MUM) -> bool:
    """Tell whether a connection's statement waits for somebody's transaction."""
    with connections[node].cursor() as cursor:
        cursor.execute(
            "SELECT cardinality(pg_blocking_pids(%s)) > 0", [connection.info.backend_pid]
        )
        return bool(cursor.fetchone()[0])


def test_the_bank_itself_may_go_without_a_key(
    pair: tuple[int, int], owners: dict[str, psycopg.Connection]
) -> None:
    payer, payee = pair
    asked = sending(uuid4(), "", payer, payee, 400)
    asked[2] = None
    assert len(written(owners[MUM], SEND.format(name="send_v1"), asked, payer)) == 3
