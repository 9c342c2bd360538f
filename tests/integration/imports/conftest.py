"""What the tests of imports can ask for."""

import os
from pathlib import Path

import pytest

from tests.integration.imports.files import berka_rows, write_people, write_rows
from tests.machine import give_up


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of the real banks' files."""
    found = os.environ.get("BANK_REAL_DATA")
    if not found:
        give_up("BANK_REAL_DATA names no folder with the real banks' files")
    return Path(found).resolve(strict=True)


@pytest.fixture
def berka(tmp_path: Path) -> Path:
    """Return a folder with a small bank: 3 accounts with 20 rows each."""
    write_rows(write_people(tmp_path) / "trans_ordered.csv", berka_rows())
    return tmp_path
