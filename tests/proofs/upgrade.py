"""Migrate a ledger of the first release to today's while it is paid and read without a pause.

Four workers pay as fast as they can, and reports keep the journal open for seconds: what a
migration needs to itself, it gets in between. PostgreSQL counts who waited for a lock for longer
than a second (``log_lock_waits``): nobody. ``ROWS`` is how long the journal is.
"""

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import psycopg

from tests.proofs._bank import OwnBank, django_on, own_bank
from tests.proofs._outcome import conclude

if TYPE_CHECKING:
    # Django is set up only when there is a bank.
    from tests.migration._earlier import Payer

ALIAS: Final = "OLD"
DATABASE: Final = "earlier"
WORKERS: Final = 4
REPORTS: Final = 4
REPORT_SECONDS: Final = 3.0
AT_ONCE: Final = 5_000
FILL: Final = """
SELECT count(ledger.post_fully_v1(0, 'fill ' || n, %s, %s, 1, 'INR', 'deposit', 'bank', %s))
FROM generate_series(%s::integer, %s::integer) AS n
"""
LONGEST: Final = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - l.waitstart)), 0)::float
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE NOT l.granted AND a.application_name = 'payer'
"""


def main() -> int:
    """Print what was counted, and return the exit status."""
    rows = int(os.environ.get("ROWS", "100000"))
    with own_bank(settings=["deadlock_timeout = '1s'", "log_lock_waits = on"]) as bank:
        counts, failures = _prove(bank, rows)
    return conclude(name="upgrade", seed=None, counts=counts, failures=failures)


def _prove(bank: OwnBank, rows: int) -> tuple[dict[str, object], list[str]]:
    from bankproject.runtime.postgres import ROLES, create_bank

    urls = create_bank(
        cluster=bank.cluster,
        superuser_password=bank.password,
        database=DATABASE,
        passwords=dict.fromkeys(ROLES, bank.password),
    )
    os.environ["BRANCH_DATABASE_URLS"] = f"{ALIAS}={urls.app}"
    with django_on(bank):
        from tests.migration._earlier import Payer, make_first_release

        make_first_release(urls.owner)
        _fill(urls.owner, rows)
        payers = [Payer(f"{urls.app}?application_name=payer") for _ in range(WORKERS)]
        watching = _Watching(bank.superuser_url)
        reading = threading.Thread(target=_read, args=(urls.owner,))
        for thread in (*payers, watching, reading):
            thread.start()
        seconds, problem = _migrate()
        reading.join()
        for payer in payers:
            payer.ends.set()
        watching.ends.set()
        for thread in (*payers, watching):
            thread.join()
        return _judge(bank, payers, watching, problem, {"rows": rows, "seconds": round(seconds, 1)})


def _fill(url: str, rows: int) -> None:
    from tests.factories import TODAY
    from tests.migration._earlier import PAYEE, VAULT

    with psycopg.connect(url, autocommit=True) as owner:
        for first in range(0, rows, AT_ONCE):
            owner.execute(FILL, [VAULT, PAYEE, TODAY, first + 1, first + AT_ONCE])


def _read(url: str) -> None:
    """Read reports that keep the journal from whoever wants it alone."""
    with psycopg.connect(url, autocommit=True) as reader:
        for _report in range(REPORTS):
            with reader.transaction():
                reader.execute("SELECT count(*) FROM ledger.journal")
                time.sleep(REPORT_SECONDS)
            time.sleep(REPORT_SECONDS / 2)


def _migrate() -> tuple[float, str]:
    from django.core.management import CommandError, call_command
    from django.db import connections
    from django.db.migrations.recorder import MigrationRecorder

    from core.db.owner import as_owner

    with as_owner(ALIAS):
        MigrationRecorder(connections[ALIAS]).record_applied("transactions", "0001_ledger")
    began = time.monotonic()
    try:
        call_command("migrate", database=ALIAS, verbosity=0)
    except CommandError as error:
        return time.monotonic() - began, str(error)
    return time.monotonic() - began, ""


class _Watching(threading.Thread):
    """Looks fifty times a second for how long a payment waits for a lock."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.longest = 0.0
        self.ends = threading.Event()
        self._url = url

    def run(self) -> None:
        """Look until told to stop."""
        with psycopg.connect(self._url, autocommit=True) as superuser:
            while not self.ends.wait(0.02):
                row = superuser.execute(LONGEST).fetchone()
                self.longest = max(self.longest, row[0] if row else 0.0)


def _judge(
    bank: OwnBank,
    payers: "list[Payer]",
    watching: _Watching,
    problem: str,
    counts: dict[str, object],
) -> tuple[dict[str, object], list[str]]:
    from transactions.ledger.invariants import check_books

    log = (bank.cluster.folder / "server.log").read_text(errors="replace")
    stalled = sum(" payer " in line and "still waiting" in line for line in log.splitlines())
    refused = [one for payer in payers for one in payer.failures]
    findings = check_books(using=ALIAS).findings
    counts |= {
        "paid_meanwhile": sum(payer.posted for payer in payers),
        "refused": len(refused),
        "longest_wait_for_a_lock_in_ms": round(watching.longest * 1000),
        "waited_longer_than_a_second": stalled,
        "gave_way": log.count("due to lock timeout"),
        "findings_in_the_books": len(findings),
    }
    failures = [f"migrate: {problem}"] if problem else []
    failures += [f"a payment failed: {one}" for one in refused[:5]]
    failures += [f"{stalled} payments waited"] if stalled else []
    failures += [f"the books: {one}" for one in findings[:5]]
    return counts, failures


if __name__ == "__main__":
    sys.exit(main())
