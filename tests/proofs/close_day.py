"""Close a month of days while the closing is killed: interest and fees are right to the last unit.

Thousands of accounts have random balances that change in the middle of the month.
`manage.py close_day` is killed with SIGKILL at random instants and begun again, and in the end two
close at once. Then every account's interest is compared with exact fractions, every fee is there
once, and the books prove.

``SEED=…`` repeats the dice, ``FULL=1`` takes 100,000 accounts and 60 kills. ``BREAK=rate`` changes
the rate behind the bank's back: then this proof must fail.
"""

import os
import random
import subprocess
import sys
import time
from fractions import Fraction
from typing import Final

import psycopg

from tests.proofs._bank import PROJECT, OwnBank, django_on, own_bank
from tests.proofs._outcome import conclude

LAST: Final = "2024-02-29"
RATE_PPM: Final = 36_525
FEE: Final = 500
_DAYS_BEFORE, _DAYS_AFTER = 14, 15


def main() -> int:
    """Run the proof, print how it ended, and return the exit status."""
    is_full = os.environ.get("FULL") == "1"
    accounts, kills = (100_000, 60) if is_full else (10_000, 12)
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**9))
    dice = random.Random(seed)
    with own_bank() as bank, django_on(bank):
        from tests.proofs import _closing

        balances = _closing.open_bank(
            bank, accounts=accounts, rate_ppm=RATE_PPM, fee=FEE, dice=dice
        )
        killed = sum(_killed(bank, dice) for _nth in range(kills))
        begun = time.monotonic()
        said = _close_twice_at_once(bank)
        seconds = time.monotonic() - begun
        if os.environ.get("BREAK") == "rate":
            with psycopg.connect(bank.superuser_url) as superuser:
                superuser.execute("ALTER TABLE ledger.accrual DISABLE TRIGGER ALL")
                superuser.execute("UPDATE ledger.accrual SET rate_ppm = rate_ppm + 1")
        failures = [*_compared(bank, balances), *said]
        books = bank.manage("check_books")
    if books.returncode != 0:
        failures.append(f"the books do not prove: {books.stdout}{books.stderr}")
    counts = {"accounts": accounts, "killed": killed, "last_close_seconds": round(seconds, 1)}
    return conclude(name="close-day", seed=seed, counts=counts, failures=failures)


def _closing_process(bank: OwnBank) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROJECT / "manage.py"), "close_day", LAST],
        env={**bank.environment, "PYTHONUNBUFFERED": "1"},
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _killed(bank: OwnBank, dice: random.Random) -> bool:
    """Close for a while and kill that; False: it was done sooner."""
    with _closing_process(bank) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(dice.uniform(0.0, 0.8))
        process.kill()
    return process.returncode < 0


def _close_twice_at_once(bank: OwnBank) -> list[str]:
    """Let two close what is left; return what is wrong with how they ended."""
    both = [_closing_process(bank) for _nth in range(2)]
    said = [process.communicate()[0] for process in both]
    if any(process.returncode == 0 for process in both):
        return []
    return [f"nobody could close: {said}"]


def _compared(bank: OwnBank, balances: dict[int, tuple[int, int]]) -> list[str]:
    """Compare each account's interest and fee with what they must be."""
    with psycopg.connect(bank.superuser_url) as superuser:
        rows = superuser.execute(
            "SELECT CASE kind WHEN 'fee' THEN debit ELSE credit END, kind, amount"
            " FROM ledger.journal WHERE kind IN ('interest', 'fee')"
        ).fetchall()
        days = len(superuser.execute("SELECT DISTINCT day FROM ledger.accrual").fetchall())
    posted = sorted((int(account), str(kind), int(amount)) for account, kind, amount in rows)
    wanted = sorted(
        posting for account, changes in balances.items() for posting in _wanted(account, *changes)
    )
    wrong = [f"{days} days accrued"] if days != _DAYS_BEFORE + _DAYS_AFTER else []
    if posted != wanted:
        differing = sorted({*posted} ^ {*wanted})
        wrong.append(
            f"{len(posted)} postings for {len(wanted)}, {len(differing)} differ: {differing[:5]}"
        )
    return wrong


def _wanted(account: int, before: int, after: int) -> list[tuple[int, str, int]]:
    """Return the postings to an account that held one balance, and from the 15th on another."""
    total = Fraction((before * _DAYS_BEFORE + after * _DAYS_AFTER) * RATE_PPM, 365 * 10**6)
    # Python rounds halves of fractions to even, too.
    interest = round(total)
    found = [(account, "interest", interest)] if interest else []
    if after + interest >= FEE:
        found.append((account, "fee", FEE))
    return found


if __name__ == "__main__":
    sys.exit(main())
