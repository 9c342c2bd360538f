"""The replica looks after itself, tells when it cannot, and is copied anew on demand."""

import time
from datetime import UTC, datetime
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from bankproject.runtime.postgres import BankUrls
from core import clock
from tests.branches import MUM, Branches
from tests.factories import customer_account, inr, order, person
from tests.integration.payments.cards import issued
from tests.integration.replica.bank import customer, on_replica, paused
from tests.integration.replica.conftest import eventually
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches.alarms import alarms, sound_alarms
from transactions.branches.books import check_bank
from transactions.branches.health import look_at_nodes
from transactions.chart import Place, open_chart
from transactions.ledger.posting import Kind, Transfer, post


@pytest.fixture
def superuser_url(replicated: BankUrls, server: TestServer) -> str:
    return server.superuser_url(replicated.owner.rpartition("/")[2])


def beat() -> None:
    for node in ("default", "MUM", "DEL"):
        with connections[node].cursor() as cursor:
            cursor.execute("SELECT ledger.beat_v1(%s)", [node])


def events() -> set[tuple[str, str]]:
    beat()
    return {(alarm.node, alarm.event) for alarm in alarms()}


class TestPartitions:
    def test_are_made_ahead_with_the_heartbeat(self, superuser_url: str) -> None:
        today = datetime.now(UTC)
        month = f"ledger.journal_{today.year + 1}_{today.month:02}"
        with psycopg.connect(superuser_url, autocommit=True) as superuser:
            superuser.execute(f"DROP TABLE {month}".encode())

        def is_made() -> bool:
            beat()
            return on_replica("SELECT to_regclass(%s) IS NOT NULL", month) == [(True,)]

        assert eventually(is_made)


def longest_lag() -> float:
    """Return for how long the copy that has waited the longest has not heard of its node."""
    lags = [node.lag_seconds for node in look_at_nodes() if node.node != "replica"]
    return max(float("inf") if lag is None else lag for lag in lags)


class TestLag:
    def test_is_short_while_nodes_beat_and_grows_while_nobody_does(
        self, superuser_url: str
    ) -> None:
        assert superuser_url

        def is_short() -> bool:
            beat()
            return longest_lag() < 1

        assert eventually(is_short)
        time.sleep(1.5)
        assert 1.5 <= longest_lag() < 60
        assert eventually(is_short)


class TestAlarm:
    def test_is_silent_while_all_is_well(self, superuser_url: str) -> None:
        assert superuser_url
        assert eventually(lambda: events() == set())

    def test_tells_of_a_copy_that_conflicts(
        self, superuser_url: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def heard() -> str:
            sound_alarms()
            return capfd.readouterr().err

        account = customer(MUM)
        assert eventually(lambda: on_replica("SELECT count(*) FROM ledger.journal") == [(1,)])
        with psycopg.connect(superuser_url, autocommit=True) as superuser:
            superuser.execute("ALTER TABLE ledger.journal ADD CHECK (memo <> 'stop') NOT VALID")
            vault = open_chart(branch=201, currency="INR", using=MUM).number(Place.VAULT)
            payment = Transfer(account, vault, inr(1), Kind.WITHDRAWAL, memo="stop")
            post(payment, order=order(), using=MUM)
            assert eventually(lambda: (MUM, "replica_stands") in events(), seconds=30)
            assert "replica_stands" not in heard()
            # Every few seconds PostgreSQL tries again, and seems to apply for a moment.
            assert eventually(lambda: "replica_stands" in heard())
            superuser.execute("ALTER TABLE ledger.journal DROP CONSTRAINT journal_memo_check")
        assert eventually(lambda: (MUM, "replica_stands") not in events(), seconds=30)

    def test_tells_of_a_slot_that_nobody_reads(self, superuser_url: str) -> None:
        with paused(superuser_url, MUM):
            expected = {(MUM, "replica_stands"), (MUM, "replica_slot_inactive")}
            assert eventually(lambda: expected <= events())

    def test_tells_of_a_replica_that_is_gone(
        self, replicated: BankUrls, server: TestServer
    ) -> None:
        with node_down(server, replicated):
            assert ("replica", "replica_is_down") in events()


class TestResync:
    def test_makes_a_spoilt_copy_whole(self, superuser_url: str) -> None:
        customer(MUM)
        account = customer(MUM, serial=2)
        assert eventually(lambda: on_replica("SELECT count(*) FROM ledger.journal") == [(2,)])
        with psycopg.connect(superuser_url, autocommit=True) as superuser:
            superuser.execute("DELETE FROM ledger.journal WHERE credit = %s", [account])
        said = StringIO()
        call_command("resync_replica", MUM, stdout=said)
        assert said.getvalue().splitlines() == ["MUM: copying", "Every node's copy is whole."]
        assert check_bank(now=clock.now()).is_clean

    def test_fills_the_whole_replica(self, superuser_url: str) -> None:
        assert superuser_url
        customer(MUM)
        asha = person()
        issued(asha, customer_account(asha))
        assert eventually(lambda: on_replica("SELECT count(*) FROM accounts_card") == [(1,)])
        call_command("resync_replica", stdout=StringIO())
        assert check_bank(now=clock.now()).is_clean

    def test_of_no_node_is_refused(self, superuser_url: str) -> None:
        assert superuser_url
        with pytest.raises(CommandError, match="no node GOA; it has default, MUM, DEL"):
            call_command("resync_replica", "GOA")

    def test_without_a_replica_is_refused(self, branches: Branches) -> None:
        assert branches
        with pytest.raises(CommandError, match="there is no replica"):
            call_command("resync_replica")
