"""A ledger as the first release made it, and its workers, who pay while it is migrated."""

import threading
import time
from itertools import count
from pathlib import Path
from typing import Final

import psycopg

from tests.factories import TODAY

RELEASES: Final = Path(__file__).parent / "releases"
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
PAY: Final = """
SELECT ledger.post_fully_v1(0, %s, %s, %s, 1, 'INR', 'deposit', 'bank', %s)
"""


def make_first_release(url: str) -> None:
    """Make the first release's ledger in an empty database, with a history."""
    with psycopg.connect(url) as owner:
        owner.execute((RELEASES / "0001_ledger.sql").read_bytes())
        known = {"payer": PAYER, "payee": PAYEE, "vault": VAULT, "day": TODAY}
        psycopg.ClientCursor(owner).execute(HISTORY, known)


class Payer(threading.Thread):
    """Pays on and on, as workers of the first release do, until told to stop."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.posted = 0
        self.failures: list[str] = []
        self.ends = threading.Event()
        self._url = url

    def wait_for_more(self) -> int:
        """Return how many were paid, once they are more than now."""
        before, patience = self.posted, time.monotonic() + 30
        while self.posted == before:
            assert time.monotonic() < patience, "transfers stand still"
            time.sleep(0.01)
        return self.posted

    def run(self) -> None:
        """Pay one unit after the other."""
        with psycopg.connect(self._url, autocommit=True) as worker:
            for number in count():
                if self.ends.is_set():
                    return
                try:
                    worker.execute(PAY, [f"{self.name} {number}", VAULT, PAYEE, TODAY])
                    self.posted += 1
                except psycopg.Error as error:
                    self.failures.append(f"{error.sqlstate}: {error}")
