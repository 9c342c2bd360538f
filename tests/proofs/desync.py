"""Say bytes to the balancer that servers disagree about, and random changes of them.

What is admitted is what a backend sees and what the client is told, gunicorn's own parser reads the
same requests, nothing reaches a backend twice, nothing hangs, and nothing is left open.

``SEED=…`` repeats a run, ``CASES=…`` says how long it is.
"""

import asyncio
import os
import random
import sys
from pathlib import Path

from tests.balancing import laboratory, on_loop
from tests.desync import CORPUS, DesyncFoundError, Oracle, mutated
from tests.proofs._outcome import conclude

CASES = 20_000


async def run(seed: int, cases: int) -> tuple[dict[str, int], list[str]]:
    """Return the counts, and what was found."""
    dice, failures = random.Random(seed), []
    async with laboratory() as lab:
        oracle = Oracle(lab)
        await oracle.hold(CORPUS[-1])
        before = _open_files()
        for raw in (*CORPUS, *(mutated(dice) for _ in range(cases))):
            cut = dice.randrange(len(raw) + 1)
            pieces = (raw[:cut], raw[cut:]) if dice.random() < 0.1 and raw else ()
            try:
                await oracle.hold(raw, *pieces)
            except (DesyncFoundError, TimeoutError) as found:
                failures.append(f"{type(found).__name__}: {found}")
                lab.backends[0].faults.clear()
        await asyncio.sleep(0.1)
        if _open_files() > before + 5:
            failures.append(f"{_open_files() - before} files are left open")
    return oracle.counts, failures


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def main() -> int:
    """Run the proof, print its counts, and return the exit status."""
    seed = int(os.environ.get("SEED") or random.randrange(2**32))
    cases = int(os.environ.get("CASES") or CASES)
    print(f"seed {seed}: {len(CORPUS)} known cases, {cases} changed ones", flush=True)
    counts, failures = on_loop(run(seed, cases))
    return conclude(name="desync", seed=seed, counts=counts, failures=failures)


if __name__ == "__main__":
    sys.exit(main())
