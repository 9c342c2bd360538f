"""A load that is killed, and two at once: each row is posted once all the same."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from django.core.management import call_command

from bankproject.runtime.postgres import BankUrls
from tests.integration.imports.files import (
    berka_rows,
    seed_rows,
    write_people,
    write_rows,
    write_seed,
)
from tests.integration.imports.loads import (
    PROJECT,
    environment,
    kill_loads,
    load,
    posted_rows,
    state,
)

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


def test_two_loads_at_once_post_each_row_once(fresh_bank: BankUrls, large: Path) -> None:
    command = [sys.executable, "manage.py", "load_bank", "berka", str(large)]
    both = [
        subprocess.Popen(
            command, cwd=PROJECT, env=environment(fresh_bank), stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in both:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        assert said.endswith("10000 of 10000 balances equal\n")
    assert posted_rows(like="berka/%") == 10_000
    before = state()
    load("berka", large)
    assert state() == before
