"""Files that cannot be loaded: one clear line, status 1, and nothing is written."""

from pathlib import Path

import psycopg
import pytest

from bankproject.runtime.postgres import BankUrls
from tests.integration.imports.files import HEADER, berka_rows, seed_rows, write_rows, write_seed
from tests.integration.imports.loads import refused_load, state

FILES = ("district.asc", "client.asc", "account.asc", "disp.asc", "order.asc", "trans_ordered.csv")


@pytest.mark.usefixtures("fresh_bank")
def test_every_kind_of_bad_file_is_refused_by_name(berka: Path) -> None:
    before = state()
    for name in FILES:
        path = berka / name
        content = path.read_bytes()
        header = content.splitlines(keepends=True)[0]
        bad = {
            "No such file": None,
            "the first line has to name the columns": b"what;is;this\n1;2;3\n",
            "is not text in UTF-8": header + b"\xe9\xff\n",
            "has no rows": header,
        }
        for reason, replacement in {**bad, "name the columns": b""}.items():
            path.unlink()
            if replacement is not None:
                path.write_bytes(replacement)
            line = refused_load("berka", berka)
            assert reason in line
            assert str(path) in line
            path.write_bytes(content)
    assert state() == before


@pytest.mark.usefixtures("fresh_bank")
@pytest.mark.parametrize("kind", ["berka", "seed-csv"])
def test_a_path_of_the_wrong_sort_is_refused(tmp_path: Path, kind: str) -> None:
    before = state()
    file = write_seed(tmp_path / "payments.csv", seed_rows())
    assert "cannot read" in refused_load(kind, file if kind == "berka" else tmp_path)
    assert "No such file" in refused_load(kind, tmp_path / "nowhere")
    assert state() == before


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    assert refused_load("swift", tmp_path) == "unknown kind of books 'swift': berka or seed-csv"


def test_a_file_of_transactions_goes_with_berka_only(tmp_path: Path) -> None:
    line = refused_load("seed-csv", tmp_path / "x", "--transactions", tmp_path / "y")
    assert line == "--transactions goes with berka only"


@pytest.mark.usefixtures("fresh_bank")
def test_a_row_of_an_unknown_account_is_refused(berka: Path) -> None:
    rows = berka_rows()
    rows[0][0] = "77"
    write_rows(berka / "trans_ordered.csv", rows)
    line = refused_load("berka", berka)
    assert "line 2, account 77, account_id: expected one of account.asc, found '77'" in line


@pytest.mark.usefixtures("fresh_bank")
def test_a_file_cut_off_in_a_quoted_field_is_refused(berka: Path) -> None:
    before = state()
    (berka / "trans_ordered.csv").write_text(f'{HEADER}\n1,1,"9301', encoding="ascii")
    assert "line 2: unexpected end of data" in refused_load("berka", berka)
    assert state() == before


def test_a_database_of_an_older_schema_is_refused(fresh_bank: BankUrls, berka: Path) -> None:
    with psycopg.connect(fresh_bank.owner) as connection:
        connection.execute("DELETE FROM django_migrations WHERE app = 'transactions'")
    assert "transactions.0001_ledger" in refused_load("berka", berka)
