"""Log out, be suspended, change the password: no web worker takes the token a second later.

Four workers and a cache that is up, down, or down and back with what it kept from before.
``ROUNDS`` says how often.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.proofs._bank import django_on, own_bank
from tests.proofs._outcome import conclude

WORKERS: Final = 4
WITHIN_SECONDS: Final = 1.0


def main() -> int:
    """Run the proof."""
    rounds = int(os.environ.get("ROUNDS", "3"))
    with own_bank() as bank, django_on(bank), tempfile.TemporaryDirectory() as folder:
        from tests.proofs._revoking import CACHES, ENDINGS, revoke, site
        from tests.proofs._revoking_people import admin, customer

        counts: dict[str, object] = {"workers": WORKERS, "revocations": 0, "requests": 0}
        failures: list[str] = []
        longest = 0.0
        # A cache of its own each: more log-ins come from here than one address may do in a minute.
        for one in range(rounds):
            with site(
                bank.environment, Path(folder) / str(one), workers=WORKERS, admin=admin()
            ) as bank_site:
                for cache in CACHES:
                    for ending in ENDINGS:
                        seen = revoke(bank_site, customer(), ending=ending, cache=cache)
                        failures += seen.failures
                        longest = max(longest, *seen.taken_for)
                        counts["revocations"] = int(str(counts["revocations"])) + 1
                        counts["requests"] = int(str(counts["requests"])) + seen.requests
        counts["longest_ms"] = round(longest * 1_000)
        if longest > WITHIN_SECONDS:
            failures.append(f"a token was taken for {longest:.2f} s")
    return conclude(name="revocation", seed=None, counts=counts, failures=failures)


if __name__ == "__main__":
    sys.exit(main())
