"""Restart a running bank's web workers while people pay, one by one and all at once: none fails.

Customers of the demo log in, look at a page and send keyed transfers, some between branches;
afterwards each one that was answered is in the books once, no other is, and the books prove.
RESTARTS (of all of them, one by one) and REQUESTS say how long; FULL=1 is 20 restarts and 100,000
requests. LB=haproxy proves the other data plane.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.functional.runtime.terminal import RUN, Bank
from tests.proofs._outcome import conclude
from tests.restarting import book_faults, load, restart, wait_until_all_serve, workers

CLIENTS = 8


def main() -> int:
    """Run the proof."""
    is_full = os.environ.get("FULL") == "1"
    restarts = int(os.environ.get("RESTARTS", "20" if is_full else "5"))
    requests = int(os.environ.get("REQUESTS", "100000" if is_full else "4000"))
    with tempfile.TemporaryDirectory(prefix="bank-restarts-") as folder:
        bank = Bank(Path(folder) / "var")
        with bank.run(RUN, API_RATE_LIMIT="1000000000") as terminal:
            bank.wait_until_open(terminal)
            wait_until_all_serve(bank)
            with load(bank, clients=CLIENTS) as found:
                begun = time.monotonic()
                for _round in range(restarts):
                    for worker in workers(bank):
                        restart(bank, worker)
                restart(bank, *workers(bank))
                seconds = time.monotonic() - begun
                while found.requests < requests:
                    time.sleep(0.5)
            failures = [f"{count} times {what}" for what, count in found.failures.items()]
            failures += book_faults(bank, found)
            books = bank.manage("check_books")
    counts: dict[str, object] = {
        "restarts": restarts,
        "requests": found.requests,
        "seconds": round(seconds),
        **found.outcomes,
    }
    if books.returncode != 0:
        failures.append(f"the books do not prove: {books.stdout}{books.stderr}")
    return conclude(name="restarts", seed=None, counts=counts, failures=failures)


if __name__ == "__main__":
    sys.exit(main())
