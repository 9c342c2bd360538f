"""What the replica holds: all nodes, nobody's secrets, and every account once."""

import psycopg
import pytest
from django.db import connections

from bankproject.runtime.postgres import BankUrls
from core.db import aliases
from core.db.addresses import database_settings
from tests.branches import MUM, Branches
from tests.factories import person
from tests.integration.replica.bank import NODES, balances, customer, on_replica
from tests.integration.replica.conftest import eventually
from tests.servers import TestServer
from transactions.branches import replica
from transactions.chart import Place, open_chart
from transactions.ledger import reads


class TestSettingUp:
    @pytest.mark.usefixtures("replicated")
    def test_leaves_out_a_branch_that_does_not_answer(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(connections[MUM].settings_dict, "PORT", "1")
        replica.set_up()
        (complaint,) = capfd.readouterr().err.splitlines()
        assert "replica_not_subscribed" in complaint
        assert "MUM" in complaint

    def test_leaves_a_node_as_it_is(self, branches: Branches) -> None:
        address = database_settings(branches.mumbai.readonly, name="", allow_plaintext=False)
        aliases.add(aliases.REPLICA, address)
        try:
            with pytest.raises(replica.CannotSubscribe, match="that of a node, MUM"):
                replica.set_up()
        finally:
            aliases.remove(aliases.REPLICA)
        with psycopg.connect(branches.mumbai.owner) as node:
            rows = node.execute("SELECT pubname FROM pg_publication").fetchall()
        assert rows == [("bank_ledger",)]

    def test_logs_no_password_when_it_fails(self, replicated: BankUrls, server: TestServer) -> None:
        database = replicated.owner.rpartition("/")[2]
        with psycopg.connect(replicated.owner, autocommit=True) as owner:
            owner.execute('ALTER SUBSCRIPTION "bank_MUM" DISABLE')
            owner.execute('DROP SUBSCRIPTION "bank_MUM"')
            owner.execute(f"REVOKE CREATE ON DATABASE {database} FROM bank_owner")
        with pytest.raises(replica.CannotSubscribe, match="permission denied for database"):
            replica.subscribe(MUM)
        log = (server.cluster.folder / "server.log").read_text(encoding="utf-8")
        assert f"permission denied for database {database}" in log
        assert server.password not in log


class TestCopying:
    def test_people_arrive_without_their_passwords(self, replicated: BankUrls) -> None:  # noqa: ARG002
        user = person()
        assert eventually(lambda: bool(on_replica("SELECT FROM accounts_user")))
        assert on_replica("SELECT id, email, password, last_login FROM accounts_user") == [
            (user.pk, user.email, "!", None)
        ]

    def test_nobody_who_copies_can_read_a_secret(self, branches: Branches) -> None:
        with psycopg.connect(branches.head_office.replica, autocommit=True) as copier:
            for secret in (
                "SELECT password FROM accounts_user",
                "SELECT * FROM django_session",
                "SELECT session_key FROM accounts_session",
                "SELECT database_url FROM transactions_node",
                "SELECT key FROM ledger.request",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    copier.execute(secret)

    @pytest.mark.usefixtures("replicated")
    def test_all_nodes_are_one_bank(self) -> None:
        numbers = [customer(node) for node in NODES]
        vaults = [
            open_chart(branch=number, currency="INR", using=node).number(Place.VAULT)
            for node, number in NODES.items()
        ]
        assert eventually(lambda: len(on_replica("SELECT FROM ledger.journal")) == 3)
        assert [found.number for found in reads.balances_of(7, using="replica")] == numbers
        assert balances("replica", numbers + vaults) == dict.fromkeys(numbers + vaults, 10_000)
        assert on_replica("SELECT node, count(*) FROM ledger.journal GROUP BY 1 ORDER BY 1") == [
            ("DEL", 1),
            ("MUM", 1),
            ("default", 1),
        ]

    @pytest.mark.usefixtures("replicated")
    def test_sums_are_folded_here_as_well(self) -> None:
        customer(MUM)
        assert eventually(lambda: bool(on_replica("SELECT FROM ledger.journal")))

        def is_folded() -> bool:
            with connections[MUM].cursor() as cursor:
                cursor.execute("SELECT ledger.beat_v1('MUM')")
            return on_replica("SELECT balance FROM ledger.folded") == [(10_000,)]

        assert eventually(is_folded)
        vault = open_chart(branch=201, currency="INR", using=MUM).number(Place.VAULT)
        assert balances("replica", [vault]) == {vault: 10_000}

    def test_setting_up_again_lets_slots_of_before_live_on_and_changes_nothing_else(
        self, replicated: BankUrls, server: TestServer
    ) -> None:
        number = customer(MUM)
        with psycopg.connect(replicated.owner, autocommit=True) as owner:
            owner.execute('ALTER SUBSCRIPTION "bank_MUM" DISABLE')
            assert eventually(lambda: as_of_before(owner))
            owner.execute('ALTER SUBSCRIPTION "bank_MUM" ENABLE')
            assert living_on(server, replicated) == [False, True, True]
        replica.set_up()
        assert living_on(server, replicated) == [True, True, True]
        assert replica.wait_until_whole(seconds=20)
        more = customer(MUM, serial=2)
        assert eventually(
            lambda: balances("replica", [number, more]) == {number: 10_000, more: 10_000}
        )


def as_of_before(owner: psycopg.Connection) -> bool:
    """Let the slot of MUM be as it was made before it could live on; False while it is in use."""
    try:
        owner.execute('ALTER SUBSCRIPTION "bank_MUM" SET (failover = false)')
    except psycopg.Error:
        return False
    return True


def living_on(server: TestServer, replicated: BankUrls) -> list[bool]:
    """Tell of each of a replica's slots whether it lives on where its node fails over."""
    with psycopg.connect(server.superuser_url(replicated.owner.rpartition("/")[2])) as superuser:
        rows = superuser.execute(
            "SELECT l.failover FROM pg_replication_slots AS l "
            "JOIN pg_subscription AS s "
            "ON s.subslotname = l.slot_name AND s.subfailover = l.failover "
            "JOIN pg_database AS d ON d.oid = s.subdbid AND d.datname = current_database() "
            "ORDER BY 1"
        )
        return [lives_on for (lives_on,) in rows.fetchall()]
