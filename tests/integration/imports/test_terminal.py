"""What a load looks like on a terminal."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from bankproject.runtime.postgres import BankUrls
from tests.integration.imports.files import TAMPERINGS, berka_rows, write_rows
from tests.integration.imports.loads import PROJECT, addresses

ESCAPES: Final = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]", re.ASCII)


def shown(*arguments: object, bank: BankUrls) -> tuple[int, str]:
    """Return the status of a load on a terminal and what stood there."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "manage.py", "load_bank", *map(str, arguments)]
    environment = {**addresses(bank), "TERM": "xterm", "COLUMNS": "300"}
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65_536):
                said += part
        except OSError:  # how Linux says that nobody writes there any more
            pass
    os.close(ours)
    return process.returncode, ESCAPES.sub("", said.decode()).rstrip()


def test_a_bar_grows_and_the_last_line_tells_the_outcome(fresh_bank: BankUrls, berka: Path) -> None:
    status, said = shown("berka", berka, bank=fresh_bank)
    assert status == 0
    assert "━" in said
    assert "60/60" in said
    assert said.splitlines()[-1] == "60 of 60 balances equal"


def test_a_wrong_row_is_one_line_and_status_1(fresh_bank: BankUrls, berka: Path) -> None:
    rows = berka_rows()
    TAMPERINGS["an amount changed by 0.10"](rows, 28)
    write_rows(berka / "trans_ordered.csv", rows)
    status, said = shown("berka", berka, bank=fresh_bank)
    assert status == 1
    assert "line 30, account 2, balance: expected" in said.splitlines()[-1]
    assert "Traceback" not in said
