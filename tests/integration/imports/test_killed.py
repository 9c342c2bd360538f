"""A load that is killed, and two at once: each row is posted once all the same."""

from pathlib import Path
from random import Random

import psycopg
import pytest
from django.core.management import call_command

from accounts.models import User
from bankproject.runtime.postgres import BankUrls
from tests.integration.imports.files import (
    berka_rows,
    seed_rows,
    write_people,
    write_rows,
    write_seed,
)
from tests.integration.imports.loads import (
    kill_loads,
    load,
    posted_rows,
    started,
    state,
    wait_for_waiting,
)
from transactions.ledger.reads import balances_of

ACCOUNTS = 40
ROWS = 250


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return a folder with a bank of 40 accounts and 10,000 rows: four chunks."""
    write_people(tmp_path, accounts=ACCOUNTS)
    write_rows(tmp_path / "trans_ordered.csv", berka_rows(accounts=ACCOUNTS, rows=ROWS))
    return tmp_path


def test_a_killed_load_of_berka_goes_on_where_it_was(fresh_bank: BankUrls, large: Path) -> None:
    assert kill_loads("berka", large, bank=fresh_bank, times=2, random=Random()) == 2
    assert load("berka", large).endswith("10000 of 10000 balances equal\n")
    call_command("check_books")


def test_a_killed_load_of_payments_goes_on_where_it_was(
    fresh_bank: BankUrls, tmp_path: Path
) -> None:
    path = write_seed(tmp_path / "payments.csv", seed_rows(users=50, rows=10_000))
    assert kill_loads("seed-csv", path, bank=fresh_bank, times=2, random=Random()) == 2
    assert load("seed-csv", path).endswith("10000 of 10000 posted, 0 refused\n")
    assert posted_rows(like="seed-csv/line/%") == 10_000
    call_command("check_books")


def test_a_load_killed_among_the_people_leaves_none_of_them(
    fresh_bank: BankUrls, berka: Path
) -> None:
    before = state()
    with psycopg.connect(fresh_bank.owner) as owner:
        # The last step of people and accounts waits here.
        owner.execute("LOCK TABLE ledger.holder IN SHARE MODE")
        with started("berka", berka, bank=fresh_bank) as process:
            wait_for_waiting(1)
            process.kill()
        assert state() == before
    assert load("berka", berka).endswith("60 of 60 balances equal\n")
    woman = User.objects.get(external_reference="berka:client:1")
    assert len(balances_of(woman.pk)) == 1


def test_two_loads_at_once_post_each_row_once(fresh_bank: BankUrls, berka: Path) -> None:
    load("berka", berka, "--transactions", write_rows(berka / "first.csv", berka_rows()[:1]))
    with (
        psycopg.connect(fresh_bank.app) as batch,
        started("berka", berka, bank=fresh_bank) as one,
        started("berka", berka, bank=fresh_bank) as two,
    ):
        # The ledger's own lock of batches: nobody posts until both loads have come that far.
        batch.execute("SELECT pg_advisory_xact_lock(7103, 1)")
        wait_for_waiting(2)
        batch.rollback()
        for process in (one, two):
            said, _ = process.communicate(timeout=60)
            assert process.returncode == 0
            assert said.endswith("60 of 60 balances equal\n")
    assert posted_rows(like="berka/%") == 60
    call_command("check_books")
