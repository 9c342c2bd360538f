"""A ledger that an earlier release made becomes, by migrating, what a new one is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from bankproject.runtime.postgres import BankUrls
from core.db import aliases
from core.db.addresses import database_settings
from core.db.owner import as_owner
from core.db.sql import queries
from tests.factories import TODAY
from tests.servers import TestServer, worker_name
from transactions.ledger.invariants import check_books
from transactions.ledger.reads import balances, entries

HERE: Final = Path(__file__).parent
CATALOG: Final = queries(HERE / "catalog.sql")
ALIAS: Final = "OLD"
PAYER, PAYEE, VAULT = 201_00000001_0, 201_00000002_0, 201_93560001_0
HISTORY: Final = """
SELECT ledger.add_partition_v1(current_date);
SELECT ledger.open_v1(%(vault)s, 'INR', 'vault', -1::smallint, false, NULL, NULL, 0);
SELECT ledger.open_v1(%(payer)s, 'INR', 'customer', 1::smallint, true, 0, 5000, 0);
SELECT ledger.open_v1(%(payee)s, 'INR', 'customer', 1::smallint, true, 0, NULL, 0);
SELECT ledger.set_holder_v1(%(payer)s, 7, 'owner', 0);
SELECT ledger.set_payee_limit_v1(%(payer)s, %(payee)s, 4000, 0, 'test');
SELECT ledger.post_fully_v1(0, 'in', %(vault)s, %(payer)s, 1000, 'INR', 'deposit', 'bank', %(day)s);
SELECT ledger.post_fully_v1(
    7, 'out', %(payer)s, %(payee)s, 300, 'INR', 'transfer', 'api', %(day)s, 7, 'rent', 'March');
SELECT ledger.hold_v1(
    7, 'hold', %(payer)s, %(payee)s, 100, 'INR', now() + interval '1 day', %(day)s, 7);
SELECT ledger.fold_v1();
"""


@pytest.fixture
def upgraded(fresh_bank: BankUrls, server: TestServer) -> Iterator[BankUrls]:
    """Return a database with a history that the first release made, migrated to this one."""
    assert fresh_bank
    name = f"old_{worker_name()}"
    urls = server.create_bank(name)
    with psycopg.connect(urls.owner) as owner:
        owner.execute((HERE / "releases" / "0001_ledger.sql").read_bytes())
        known = {"payer": PAYER, "payee": PAYEE, "vault": VAULT, "day": TODAY}
        psycopg.ClientCursor(owner).execute(HISTORY, known)
    aliases.add(ALIAS, database_settings(urls.app, name=ALIAS, allow_plaintext=False))
    try:
        with as_owner(ALIAS):
            MigrationRecorder(connections[ALIAS]).record_applied("transactions", "0001_ledger")
        call_command("migrate", database=ALIAS, verbosity=0)
        yield urls
    finally:
        connections[ALIAS].close()
        aliases.remove(ALIAS)
        server.drop(name)


def described(url: str, what: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        found = set(connection.execute(CATALOG[what]).fetchall())
    assert found, what
    return found


class TestUpgrade:
    def test_leaves_no_difference_to_a_new_ledger(
        self, upgraded: BankUrls, empty_branch: str, server: TestServer
    ) -> None:
        new = server.superuser_url(empty_branch)
        old = server.superuser_url(upgraded.owner.rpartition("/")[2])
        differences = {
            what: here ^ there
            for what in CATALOG
            if (here := described(old, what)) != (there := described(new, what))
        }
        assert differences == {}

    @pytest.mark.usefixtures("upgraded")
    def test_keeps_the_books(self) -> None:
        assert check_books(using=ALIAS).findings == []
        payer, payee = balances([PAYER, PAYEE], using=ALIAS)
        assert (payer.balance, payer.held, payee.balance) == (700, 100, 300)
        assert [entry.memo for entry in entries(PAYER, using=ALIAS)] == ["rent", None]
