"""Transfers between nodes that meet others at an account."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connections

from tests.branches import DEL, MUM, Branches
from tests.integration.branches.test_crossing import account_at, send
from transactions.branches import meetings

HELD_SECONDS = 0.4


def pair(serial: int) -> tuple[int, int]:
    """Return an account in Mumbai with ₹10 and an empty one in Delhi, where nobody was met yet."""
    return account_at(MUM, serial, balance=1_000), account_at(DEL, serial)


@contextmanager
def held(url: str, account: int) -> Iterator[None]:
    """Hold an account's lock for longer than a first attempt waits."""
    with psycopg.connect(url) as owner:
        owner.execute("SELECT FROM ledger.account WHERE number = %s FOR UPDATE", [account])
        release = threading.Timer(HELD_SECONDS, owner.rollback)
        release.start()
        try:
            yield
        finally:
            release.join()


def attempts_of(payer: int, payee: int) -> int:
    """Send a rupee and return which attempt was decided."""
    receipt = send(payer, payee, 100)
    with connections[MUM].cursor() as cursor:
        cursor.execute(
            "SELECT attempt FROM ledger.decision WHERE transfer_id = %s", [receipt.transfer_id]
        )
        return int(cursor.fetchone()[0])


def test_gives_up_soon_at_first_and_waits_its_turn_where_others_were_met(
    branches: Branches,
) -> None:
    payer, payee = pair(801)
    with held(branches.delhi.owner, payee):
        assert attempts_of(payer, payee) > 1
    with held(branches.delhi.owner, payee):
        assert attempts_of(payer, payee) == 1


def test_forgets_whom_it_met(branches: Branches, monkeypatch: pytest.MonkeyPatch) -> None:
    payer, payee = pair(802)
    meetings.note_meeting(payer, payee)
    monkeypatch.setattr(meetings, "LASTING_SECONDS", 0.1)
    time.sleep(0.15)
    with held(branches.delhi.owner, payee):
        assert attempts_of(payer, payee) > 1


def test_remembers_no_more_than_it_can_use() -> None:
    for account in range(5_000):
        meetings.note_meeting(account)
    assert meetings.met_lately(4_999)
    assert sum(meetings.met_lately(account) for account in range(5_000)) <= meetings.MOST
