"""Loading, and what it left in the bank."""

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from select import select
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
    (SELECT count(*) FROM accounts_account), (SELECT count(*) FROM accounts_district),
    (SELECT count(*) FROM transactions_standingorder), (SELECT count(*) FROM accounts_card)
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
            " WHERE reference LIKE %s AND reference NOT LIKE '%%/rounding'"
            # What its loans cost and were repaid is told by other files.
            " AND reference NOT LIKE '%%/loan/%%'",
            [like],
        )
        return int(cursor.fetchone()[0])


def addresses(bank: BankUrls) -> dict[str, str]:
    """Return the environment in which a command finds a bank, and writes without delay."""
    found = {"DATABASE_URL": bank.app, "OWNER_DATABASE_URL": bank.owner}
    return {**os.environ, **found, "PYTHONUNBUFFERED": "1"}


@contextmanager
def started(*arguments: object, bank: BankUrls) -> Iterator[subprocess.Popen[str]]:
    """Start a load in a process of its own, which is over when the block ends."""
    command = [sys.executable, "manage.py", "load_bank", *map(str, arguments)]
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env=addresses(bank),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def kill_loads(*arguments: object, bank: BankUrls, times: int, random: Random) -> int:
    """Start loads and kill -9 each at a random instant; return how many were killed in time.

    The first one while people and accounts come in, the others between rows; each when it tells of
    more rows at the latest.
    """
    killed = 0
    for nth in range(times):
        with started(*arguments, bank=bank) as process:
            assert process.stdout is not None
            if nth:
                process.stdout.readline()
            seconds = random.uniform(0.0, 0.3) if nth else random.uniform(0.5, 2.5)
            select([process.stdout], [], [], seconds)
        killed += process.returncode < 0
    return killed


def wait_for_waiting(sessions: int) -> None:
    """Wait until so many sessions of this bank wait for a lock."""
    for _ in range(600):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0] >= sessions:
                return
        time.sleep(0.05)
    pytest.fail(f"no {sessions} sessions came to wait for a lock")
