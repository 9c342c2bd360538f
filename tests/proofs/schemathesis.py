"""Send requests that schemathesis makes from the OpenAPI, as everybody there is.

No answer may be the bank's own failure, and none may be other than the OpenAPI says. ``CASES=…``
changes how many requests there are at least, ``SEED=…`` repeats a run.
"""

import os
import random
import sys
import time
from collections import Counter
from itertools import count
from subprocess import DEVNULL
from tempfile import TemporaryDirectory

from tests.proofs._bank import django_on, own_bank
from tests.proofs._outcome import conclude

CASES = 20_000


def main() -> int:
    """Run the proof, print its counts, and return the exit status."""
    seed = int(os.environ.get("SEED") or random.randrange(2**32))
    cases = int(os.environ.get("CASES") or CASES)
    print(f"seed {seed}: at least {cases} requests", flush=True)
    with own_bank() as bank, django_on(bank), TemporaryDirectory() as folder:
        from tests.website import served

        environment = {**bank.environment, "BANK_VAR": folder, "API_RATE_LIMIT": str(10**9)}
        with served(environment, workers=2, log=DEVNULL) as address:
            counts, failures = _run(address, cases, seed)
        books = bank.manage("check_books")
    if books.returncode != 0:
        failures.append(f"the books do not prove: {books.stdout}{books.stderr}")
    return conclude(name="schemathesis", seed=seed, counts=counts, failures=failures)


def _run(address: str, cases: int, seed: int) -> tuple[dict[str, object], list[str]]:
    """Let everybody send a few of each, then one after the other many, until there are enough."""
    from tests.proofs import _fuzzing

    statuses: Counter[int] = Counter()
    done: Counter[str] = Counter()
    failures: dict[str, str] = {}
    operations: set[str] = set()
    began = time.monotonic()
    for turn in count():
        # Anew each time: admins suspend people, and customers give away what they have.
        for who in _fuzzing.everybody():
            examples = 3 if turn == 0 else 10 * turn
            outcome = _fuzzing.fuzz(
                address, who, seed=seed + turn, examples=examples, is_short=turn == 0
            )
            done[who.name] += outcome.cases
            statuses += outcome.statuses
            operations |= outcome.operations
            for where, what in outcome.failures.items():
                failures.setdefault(where, f"{who.name}: {where}: {what}")
            print(f"{done.total():>8} requests, {time.monotonic() - began:.0f} s", flush=True)
            if turn and done.total() >= cases:
                break
        if done.total() >= cases:
            break
    counts: dict[str, object] = {
        "cases": done.total(),
        "operations": len(operations),
        "server_errors": sum(statuses[status] for status in statuses if status >= 500),
        "deviations": len(failures),
        "by_caller": dict(done),
        "by_status": {str(status): statuses[status] for status in sorted(statuses)},
    }
    return counts, list(failures.values())


if __name__ == "__main__":
    sys.exit(main())
