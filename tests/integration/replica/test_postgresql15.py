"""The replica on the oldest PostgreSQL, whose subscriptions only superusers may make."""

import json
from dataclasses import replace

import psycopg

from bankproject.runtime.postgres import ROLES, SUPERUSER, Binaries, create_bank
from tests.integration.replica.conftest import eventually, unsubscribe
from tests.proofs._bank import OwnBank, own_bank


def test_is_filled_and_agrees_on_postgresql_15(postgres15: Binaries) -> None:
    with own_bank(binaries=postgres15) as alone:
        bank = with_replica(alone)
        for words in (["migrate", "--verbosity=0"], ["resync_replica"]):
            done = bank.manage(*words)
            assert done.returncode == 0, done.stderr
        with psycopg.connect(bank.superuser_url, autocommit=True) as node:
            node.execute("SELECT ledger.beat_v1('default')")
        query = "SELECT is_whole AND beat_at IS NOT NULL FROM ledger.source"
        with psycopg.connect(bank.environment["REPLICA_DATABASE_URL"], autocommit=True) as replica:
            assert eventually(lambda: replica.execute(query).fetchone() == (True,))
        checked = bank.manage("check_books")
        assert checked.returncode == 0, checked.stdout
        assert json.loads(checked.stdout)["replica"]["findings"] == []
        unsubscribe(bank.cluster.url(database="replica", role=SUPERUSER, password=bank.password))


def with_replica(bank: OwnBank) -> OwnBank:
    """Make a replica's database on the bank's server, and let the bank know it."""
    urls = create_bank(
        cluster=bank.cluster,
        superuser_password=bank.password,
        database="replica",
        passwords=dict.fromkeys(ROLES, bank.password),
        is_replica=True,
    )
    addresses = {
        "REPLICA_DATABASE_URL": urls.readonly,
        "REPLICATION_DATABASE_URL": bank.app_url.replace("bank_app", "bank_replica"),
    }
    return replace(bank, environment={**bank.environment, **addresses})
