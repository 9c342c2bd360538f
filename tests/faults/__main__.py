"""Run the fault laboratory: banks with flaws, every case, then a random mix. ``make faults``.

``RANDOM_FAULTS=…`` says how many random faults (300), ``SEED=…`` repeats their dice.
"""

import os
import random
import secrets
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bankproject.runtime import valkey
from bankproject.runtime.ports import first_free
from tests.faults._judge import Judge
from tests.faults._laboratory import Template, laboratory, template
from tests.faults.changes import ChangeRun, change_cases
from tests.faults.exhaustive import Run, all_cases
from tests.faults.flaws import FLAWS, broken_promises
from tests.faults.random_mix import Mix, Plan
from tests.proofs._outcome import conclude

_USUAL_FAULTS: Final = 300


def main() -> int:
    """Run everything, print the counts, and return the exit status."""
    seed = _given("SEED", otherwise=random.randrange(2**32))
    faults = _given("RANDOM_FAULTS", otherwise=_USUAL_FAULTS)
    # The servers must not outlive us.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(1))
    print(f"seed {seed}: every case, without Redis once more, {faults} random faults", flush=True)
    with template() as opened:
        judges = [
            check_the_checker(opened),
            go_through_all_cases(opened),
            go_through_changes(opened),
            mix_at_random(opened, Plan(faults=faults, seed=seed)),
        ]
    counts = sum((judge.counts for judge in judges), Counter[str]())
    counts["random_faults"] = faults
    counts["slowest_settling_ms"] = max(judge.slowest_ms for judge in judges)
    failures = [failure for judge in judges for failure in judge.failures]
    return conclude(name="faults", seed=seed, counts=counts, failures=failures)


def _given(name: str, *, otherwise: int) -> int:
    value = os.environ.get(name) or str(otherwise)
    if not (value.isascii() and value.isdigit()):
        sys.exit(f"{name} must be a whole number, not {value!r}")
    return int(value)


def check_the_checker(opened: Template) -> Judge:
    """Let it see banks with flaws: what it does not find there, it would find nowhere."""
    judge = Judge()
    for flaw in FLAWS:
        missed = flaw.breaks - broken_promises(opened, flaw)
        if missed:
            judge.fail(flaw.name, f"the checker does not see {sorted(missed)}")
    judge.counts["flaws"] = len(FLAWS)
    print(f"{len(FLAWS)} banks with flaws, {len(judge.failures)} not found out", flush=True)
    return judge


def go_through_all_cases(opened: Template) -> Judge:
    """Try every case with Redis, and again without."""
    judge = Judge()
    with running_broker() as (url, stop), laboratory(opened, broker=url) as lab:
        Run(lab, judge, name="with").through(all_cases())
        print(f"{judge.counts['cases']} cases with Redis, {len(judge.failures)} failed", flush=True)
        stop()
        Run(lab, judge, name="without").through(all_cases())
    print(
        f"{judge.counts['cases']} cases with and without, {len(judge.failures)} failed", flush=True
    )
    return judge


def go_through_changes(opened: Template) -> Judge:
    """Try cases of opening, freezing and closing accounts and of changing their holders."""
    judge = Judge()
    with laboratory(opened) as lab:
        ChangeRun(lab, judge).through(change_cases())
    print(f"{judge.counts['cases']} cases of changes, {len(judge.failures)} failed", flush=True)
    return judge


def mix_at_random(opened: Template, plan: Plan) -> Judge:
    """Do random harm."""
    judge = Judge()
    with laboratory(opened) as lab:
        Mix(lab, judge, plan).run()
    return judge


@contextmanager
def running_broker() -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the address of a broker of our own, and what stops it."""
    with tempfile.TemporaryDirectory() as folder:
        broker = valkey.Valkey(
            binary=valkey.embedded(),
            folder=Path(folder),
            port=first_free(29_500 + secrets.randbelow(400)),
            password=secrets.token_urlsafe(16),
        )
        running = broker.start()

        def stop() -> None:
            running.kill()
            running.wait()

        try:
            yield broker.url, stop
        finally:
            stop()


if __name__ == "__main__":
    sys.exit(main())
