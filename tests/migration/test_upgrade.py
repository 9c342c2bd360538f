"""A ledger that an earlier release made becomes, by migrating under load, what a new one is."""

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
from core.management.commands import migrate as migrating
from tests.factories import TODAY
from tests.migration._earlier import (
    PAYEE,
    PAYER,
    RELEASES,
    VAULT,
    Payer,
    make_first_release,
)
from tests.migration._locks import harms
from tests.servers import TestServer, worker_name
from transactions.branches import replica
from transactions.ledger.invariants import check_books
from transactions.ledger.reads import balances, entries

HERE: Final = Path(__file__).parent
CATALOG: Final = queries(HERE / "catalog.sql")
# What releases after the first had otherwise, by the migration with which it became as it is.
LACKING: Final = queries(RELEASES / "lacking.sql")
STOPS: Final = [f"{number:04}" for number in range(1, 12)]
FIRST: Final = STOPS[0]
ALIAS: Final = "OLD"
HARMLESS: Final = (
    "ALTER TABLE ledger.journal ADD extra int NOT NULL DEFAULT 7",
    "ALTER TABLE ledger.account ADD CHECK (number > 0) NOT VALID",
    "ALTER TABLE ledger.account ALTER status SET NOT NULL",
)
HARMFUL: Final = {
    "CREATE INDEX ON ledger.journal (memo)": "reads all of ledger.journal_",
    "ALTER TABLE ledger.account ADD CHECK (number > 0)": "reads all of ledger.account",
    "ALTER TABLE ledger.hold ADD a uuid DEFAULT gen_random_uuid()": "writes ledger.hold anew",
    "ALTER TABLE ledger.request ALTER key TYPE varchar(99)": "writes ledger.request anew",
    "ALTER TABLE ledger.account ADD a int; ALTER TABLE ledger.journal ADD a int": (
        "locks several tables at once: ledger.account, ledger.journal"
    ),
}
# Memos and references of a batch; references alone, once hashed as memos alone, are known no more.
WORDS: Final = ((None, None), (["W-1"], None), (["W-1"], ["W-2"]))
BATCH: Final = """
SELECT first_id, replayed FROM ledger.post_batch_v1(
    0, %s, ARRAY[%s, %s], ARRAY[2], ARRAY[1], ARRAY[1::bigint], ARRAY['INR'], ARRAY['deposit'],
    'bank', %s, p_memo => %s, p_reference => %s
)
"""
# They were there before this was asked; who comes from a release without them has a small ledger.
HARMFUL_ONES: Final = {
    "0002_branches",
    "0006_operations",
    "0007_customer_accounts",
    "0008_moving",
    "0009_payees_standing_orders_limits",
    "0011_hold_changes",
    "0013_cash_elsewhere",
}


@pytest.fixture(scope="module")
def first_release(shared_bank: BankUrls, server: TestServer) -> Iterator[str]:
    """Return the name of a database with a history, as the first release made it."""
    assert shared_bank
    name = f"first_{worker_name()}"
    urls = server.create_bank(name)
    make_first_release(urls.owner)
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


def migrations() -> Iterator[tuple[str, list[bytes]]]:
    """Go through what migrations do on a branch, by their files: Django takes seconds."""
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        if app == "transactions":
            files = (one for one in migration.operations if isinstance(one, RunSQLFile))
            yield name, [file.path.read_bytes() for file in files if not file.hints]


def migrate(owner: psycopg.Connection, is_due: Callable[[str], bool]) -> None:
    """Migrate a branch."""
    for name, files in migrations():
        if is_due(name[:4]):
            for statements in files:
                owner.execute(statements)


def post_batch(
    worker: psycopg.Connection, memos: list[str] | None, references: list[str] | None
) -> Any:
    """Post a batch of one deposit with these words; return its id, and whether it was before."""
    key = f"{memos} {references}"
    return worker.execute(BATCH, [key, PAYEE, VAULT, TODAY, memos, references]).fetchone()


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

    def test_keeps_answering_batches(self, old: BankUrls) -> None:
        with psycopg.connect(old.app) as worker:
            posted = [post_batch(worker, *words) for words in WORDS]
        call_command("migrate", database=ALIAS, verbosity=0)
        with psycopg.connect(old.app) as worker:
            again = [post_batch(worker, *words) for words in WORDS]
        assert again == [(first_id, True) for first_id, _replayed in posted]


class TestMigrations:
    def test_hold_no_transfer_up(self, old: BankUrls) -> None:
        with psycopg.connect(old.owner) as owner:
            found = {}
            for name, files in migrations():
                if name[:4] > FIRST:
                    found[name] = harms(owner, b"\n".join(files))
                    owner.commit()
        wrong = {name: harm for name, harm in found.items() if harm}
        assert wrong.keys() == HARMFUL_ONES, wrong

    def test_that_would_are_told_apart(self, old: BankUrls) -> None:
        found = {}
        with psycopg.connect(old.owner) as owner:
            for statements in (*HARMLESS, *HARMFUL):
                found[statements] = harms(owner, statements.encode())
                owner.rollback()
        assert [found[one] for one in HARMLESS] == [[]] * len(HARMLESS)
        for statements, harm in HARMFUL.items():
            assert any(one.startswith(harm) for one in found[statements]), statements


class TestUnderLoad:
    def test_a_migration_gives_way_to_transfers_while_a_table_is_read(
        self, old: BankUrls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A long report keeps the migration from its lock; transfers do not queue behind it."""
        passed: list[int] = []
        payer = Payer(old.app)
        report = psycopg.connect(old.owner)

        def pause(_seconds: float) -> None:
            passed.append(payer.wait_for_more())
            if len(passed) == 3:
                report.rollback()

        monkeypatch.setattr(migrating, "sleep", pause)
        report.execute("SELECT count(*) FROM ledger.journal")
        payer.start()
        try:
            call_command("migrate", database=ALIAS, verbosity=0)
        finally:
            report.close()
            payer.ends.set()
            payer.join()
        assert payer.failures == []
        assert len(passed) >= 3
        assert passed == sorted(set(passed))
        assert check_books(using=ALIAS).findings == []
        assert balances([PAYEE], using=ALIAS)[0].balance == 300 + payer.posted
