"""Send one transfer a thousand times at once to real web workers: it is posted once."""

import os
import resource
import sys
import tempfile
from typing import Final

from tests.proofs._bank import django_on, own_bank
from tests.proofs._outcome import conclude

WORKERS: Final = 4


def main() -> int:
    """Send, print what was answered, and return the exit status."""
    times = 5_000 if os.environ.get("FULL") == "1" else 1_000
    _allow_connections(times)
    with own_bank() as bank, django_on(bank), tempfile.TemporaryDirectory() as folder:
        from tests.proofs import _one_key
        from tests.website import served

        environment = {**bank.environment, "BANK_VAR": folder, "API_RATE_LIMIT": str(10**9)}
        with served(environment, workers=WORKERS) as address:
            sent = _one_key.send_once_many_times(address, times=times)
        books = bank.manage("check_books")
    failures = sent.faults(times=times)
    if books.returncode != 0:
        failures.append(f"the books do not prove: {books.stdout}{books.stderr}")
    counts = {"sent": times, "posted": sent.posted, **sent.answers}
    return conclude(name="one-key", seed=None, counts=counts, failures=failures)


def _allow_connections(times: int) -> None:
    """Let this process and its children have a file open for each connection."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = times + 500
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main())
