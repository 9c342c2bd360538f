"""Race for one balance, limit, key, hold and transfer: exactly the right number gets through."""

import os
import sys

from tests.proofs._bank import django_on, own_bank
from tests.proofs._outcome import conclude


def main() -> int:
    """Run all races, print how they ended, and return the exit status."""
    rounds = 20 if os.environ.get("FULL") == "1" else 5
    with own_bank() as bank, django_on(bank):
        from tests.proofs import _racing

        races = []
        for _round in range(rounds):
            races += [
                _racing.on_one_balance(),
                _racing.on_a_daily_limit(),
                _racing.on_a_payee_limit(),
                *_racing.on_one_hold(),
                _racing.on_one_reversal(),
            ]
        races.append(_racing.on_one_key())
        books = bank.manage("check_books")
    counts = {"races": len(races), "racers": sum(race.racers for race in races)}
    failures = [failure for race in races for failure in race.failures]
    if books.returncode != 0:
        failures.append(f"the books do not prove: {books.stdout}{books.stderr}")
    return conclude(name="races", seed=None, counts=counts, failures=failures)


if __name__ == "__main__":
    sys.exit(main())
