"""A ledger that an earlier release made becomes, by migrating, what a new one is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from bankproject.runtime.postgres import BankUrls
from core.db import aliases
from core.db.addresses import database_settings
from core.db.migrations import RunSQLFile
from core.db.owner import as_owner
from core.db.sql import queries
from tests.factories import TODAY
from tests.servers import TestServer, worker_name
from transactions.branches import replica
from transactions.ledger.invariants import check_books
from transactions.ledger.reads import balances, entries

HERE: Final = Path(__file__).parent
RELEASES: Final = HERE / "releases"
CATALOG: Final = queries(HERE / "catalog.sql")
# What releases after the first had otherwise, by the migration with which it became as it is.
LACKING: Final = queries(RELEASES / "lacking.sql")
STOPS: Final = [f"{number:04}" for number in range(1, 12)]
FIRST: Final = STOPS[0]
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


@pytest.fixture(scope="module")
def first_release(shared_bank: BankUrls, server: TestServer) -> Iterator[str]:
    """Return the name of a database with a history, as the first release made it."""
    assert shared_bank
    name = f"first_{worker_name()}"
    urls = server.create_bank(name)
    with psycopg.connect(urls.owner) as owner:
        owner.execute((RELEASES / "0001_ledger.sql").read_bytes())
        known = {"payer": PAYER, "payee": PAYEE, "vault": VAULT, "day": TODAY}
        psycopg.ClientCursor(owner).execute(HISTORY, known)
    with old_node(urls), as_owner(ALIAS):
        MigrationRecorder(connections[ALIAS]).record_applied("transactions", "0001_ledger")
    yield name
    server.drop(name)


@contextmanager
def old_node(urls: BankUrls) -> Iterator[None]:
    """Know a database under an alias, as a branch's."""
    aliases.add(ALIAS, database_settings(urls.app, name=ALIAS, allow_plaintext=False))
    try:
        yield
    finally:
        connections[ALIAS].close()
        aliases.remove(ALIAS)


@pytest.fixture
def old(first_release: str, server: TestServer) -> Iterator[BankUrls]:
    """Return a copy of the first release's database, which is known as a branch's."""
    with server.copied(first_release, f"old_{worker_name()}") as urls, old_node(urls):
        yield urls


def migrate(owner: psycopg.Connection, is_due: Callable[[str], bool]) -> None:
    """Do what migrations do on a branch: by their files alone, since Django takes seconds."""
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        if app == "transactions" and is_due(name[:4]):
            for operation in migration.operations:
                if isinstance(operation, RunSQLFile) and not operation.hints:
                    owner.execute(operation.path.read_bytes())


def described(url: str, what: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        found = set(connection.execute(CATALOG[what]).fetchall())
    assert found, what
    return found


@pytest.fixture(scope="module")
def new(empty_branch: str, server: TestServer) -> dict[str, set[tuple[Any, ...]]]:
    """Return what a new ledger says of itself."""
    return {what: described(server.superuser_url(empty_branch), what) for what in CATALOG}


class TestUpgrade:
    @pytest.mark.parametrize("stop", STOPS)
    def test_leaves_no_difference_to_a_new_ledger(
        self,
        old: BankUrls,
        new: dict[str, set[tuple[Any, ...]]],
        server: TestServer,
        stop: str,
    ) -> None:
        with psycopg.connect(old.owner) as owner:
            migrate(owner, lambda number: FIRST < number <= stop)
            for since, lacking in LACKING.items():
                if FIRST < stop < since:
                    owner.execute(lacking)
            migrate(owner, lambda number: number > stop)
        replica.publish(ALIAS)
        url = server.superuser_url(old.owner.rpartition("/")[2])
        differences = {
            what: there ^ here
            for what, there in new.items()
            if (here := described(url, what)) != there
        }
        assert differences == {}

    @pytest.mark.usefixtures("old")
    def test_keeps_the_books(self) -> None:
        call_command("migrate", database=ALIAS, verbosity=0)
        assert check_books(using=ALIAS).findings == []
        payer, payee = balances([PAYER, PAYEE], using=ALIAS)
        assert (payer.balance, payer.held, payee.balance) == (700, 100, 300)
        assert [entry.memo for entry in entries(PAYER, using=ALIAS)] == ["rent", None]
