"""Loading, and what it left in the bank."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Final

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from bankproject.runtime.postgres import BankUrls

PROJECT: Final = Path(__file__).resolve().parents[3]
_STATE: Final = """
SELECT
    (SELECT count(*) FROM ledger.journal), (SELECT count(*) FROM ledger.account),
    (SELECT count(*) FROM ledger.account_event), (SELECT count(*) FROM accounts_user),
    (SELECT count(*) FROM accounts_account), (SELECT count(*) FROM accounts_district)
"""


def load(*arguments: object) -> str:
    """Load a bank and return what the command said."""
    out = io.StringIO()
    call_command("load_bank", *map(str, arguments), stdout=out)
    return out.getvalue()


def refused_load(*arguments: object) -> str:
    """Return the one line with which a load is refused."""
    with pytest.raises(CommandError) as caught:
        load(*arguments)
    assert caught.value.returncode == 1
    line = str(caught.value)
    assert "\n" not in line
    return line


def state() -> tuple[int, ...]:
    """Return how much of everything there is."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        row: tuple[int, ...] = cursor.fetchone()
    return row


def posted_rows(*, like: str) -> int:
    """Return how many rows of a file are in the journal."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM ledger.reference"
            " WHERE reference LIKE %s AND reference NOT LIKE '%%/rounding'",
            [like],
        )
        return int(cursor.fetchone()[0])


def environment(bank: BankUrls) -> dict[str, str]:
    """Return the environment in which a command finds a bank."""
    addresses = {"DATABASE_URL": bank.app, "OWNER_DATABASE_URL": bank.owner}
    return {**os.environ, **addresses, "PYTHONUNBUFFERED": "1"}


def kill_loads(*arguments: object, bank: BankUrls, times: int, random: Random) -> int:
    """Start loads and kill -9 each at a random instant; return how many were killed in time.

    The first one before its first row, while people and accounts come in; the others between rows.
    """
    command = [sys.executable, "manage.py", "load_bank", *map(str, arguments)]
    killed = 0
    for nth in range(times):
        with subprocess.Popen(
            command, cwd=PROJECT, env=environment(bank), stdout=subprocess.PIPE, text=True
        ) as process:
            if nth == 0:
                time.sleep(random.uniform(0.5, 2.5))
            else:
                assert process.stdout is not None
                process.stdout.readline()
                time.sleep(random.uniform(0.0, 0.3))
            process.kill()
        killed += process.returncode < 0
    return killed
