"""Look everything up that the bank looks up, among 1,000,000 rows of each: by an index."""

import os
import sys

import psycopg

from tests.proofs._bank import django_on, own_bank
from tests.proofs._outcome import conclude

_ROWS = 1_000_000


def main() -> int:
    """Print how each look-up is served, and return the exit status."""
    rows = int(os.environ.get("ROWS", _ROWS))
    with own_bank(settings=["max_wal_size = '4GB'"]) as bank, django_on(bank):
        from tests.proofs._indexed import fill, look_ups, looked_up

        with psycopg.connect(bank.superuser_url, autocommit=True) as superuser:
            fill(superuser, rows=rows)
        # The second time: what is read from the disk, and planned, says nothing of the index.
        found = [(looked_up(one), looked_up(one))[1] for one in look_ups()]
    for one in found:
        print(f"{one.milliseconds:>9.2f} ms  {one.look_up.what}: {', '.join(sorted(one.indexes))}")
    return conclude(
        name="indexes",
        seed=None,
        counts={"rows": rows, "look_ups": len(found)},
        failures=[one.failure for one in found if one.failure],
    )


if __name__ == "__main__":
    sys.exit(main())
