"""Drive the real ledger and the reference ledger through many random histories, side by side.

``SEED=…`` repeats a run; ``FULL=1`` runs five times as many.
"""

import os
import random
import sys
from collections import Counter

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proofs._bank import OwnBank, django_on, own_bank
from tests.proofs._outcome import conclude

EXAMPLES = 300
STEPS = 60


def run(bank: OwnBank, *, examples: int, seed_value: int) -> Counter[str]:
    """Run the machine and return how often each rule was followed."""
    from tests.ledger_machine import LedgerMachine

    LedgerMachine.superuser_url = bank.superuser_url
    LedgerMachine.steps = Counter()
    run_state_machine_as_test(
        seed(seed_value)(LedgerMachine),
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            # Shrinking takes many minutes; the steps are printed as they are.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return LedgerMachine.steps


def main() -> int:
    """Run the proof, print its counts, and return the exit status."""
    seed_value = int(os.environ.get("SEED") or random.randrange(2**32))
    examples = EXAMPLES * (5 if os.environ.get("FULL") == "1" else 1)
    print(f"seed {seed_value}: {examples} histories of up to {STEPS} steps", flush=True)
    # Nothing here is about durability, and waiting for the disk is most of the time.
    with own_bank(settings=["synchronous_commit = off"]) as bank, django_on(bank):
        steps = run(bank, examples=examples, seed_value=seed_value)
    return conclude(name="ledger-model", seed=seed_value, counts=dict(steps), failures=[])


if __name__ == "__main__":
    sys.exit(main())
