"""What reports cost: statements, an account's picture, a busy bank's month, telling of events.

`make bench NAME=reports`; TRANSFERS says how many the month has, EVENTS how many a burst is of,
ROUNDS how often each is measured, and SECONDS how long transfers run at a time: alone, and
beside the telling of a burst as `manage.py watch` and the worker do it, in turns.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks._statement_files import BOUNDS as STATEMENT_BOUNDS
from benchmarks._statement_files import statement_figures
from tests.proofs._bank import OwnBank, own_bank

BOUNDS: Final[dict[str, float]] = {
    "chart_s": 1.0,
    "monthly_report_s": 20.0,
    "drain_10000_slowdown_pct": 10.0,
    **STATEMENT_BOUNDS,
}
_PROGRAM: Final = "benchmarks._report_bank"
_MOST_SECONDS: Final = 900


def main() -> int:
    """Measure, print a table and a line of JSON; 1 if a bound is exceeded or the books fail."""
    console = Console()
    asked = {
        name: int(os.environ.get(name, usual))
        for name, usual in {
            "TRANSFERS": 1_000_000,
            "EVENTS": 10_000,
            "ROUNDS": 5,
            "SECONDS": 10,
        }.items()
    }
    figures, wrong = _measured(asked, console)
    table = Table("Figure", "Found", "At most")
    for name, found in figures.items():
        table.add_row(name, str(found), str(BOUNDS.get(name, "")))
    console.print(table)
    print(wrong or "The books prove.")
    print(json.dumps({"benchmark": "reports", "settings": asked, "figures": figures}))
    return int(bool(wrong) or any(figures[name] > most for name, most in BOUNDS.items()))


def _measured(asked: dict[str, int], console: Console) -> tuple[dict[str, Any], str]:
    """Return the figures of both banks, and what is wrong with their books."""
    with own_bank() as bank:
        _done(bank, "open")
        console.print(f"Telling of {asked['EVENTS']} events while transfers go on …")
        told = _telling(bank, asked, console)
        console.print(f"Letting {asked['TRANSFERS']} transfers happen …")
        _done(bank, "fill", asked["TRANSFERS"])
        found = _done(bank, "measure", asked["ROUNDS"])
        wrong = bank.check_books()
    console.print("Making files of statements …")
    with own_bank() as bank:
        statements = statement_figures(bank.environment)
        wrong += bank.check_books()
    return {**statements, **found, **told}, wrong


def _telling(bank: OwnBank, asked: dict[str, int], console: Console) -> dict[str, float]:
    """Let transfers run alone and beside the telling of a burst, in turns, and tell of the rest."""
    events, seconds = asked["EVENTS"], asked["SECONDS"]
    _done(bank, "burst", events)
    ratios, took = [], 0.0
    for _round in range(asked["ROUNDS"]):
        alone = _rate(bank, seconds)
        telling = bank.start_python(_PROGRAM, "drain", str(events), str(seconds))
        telling.stdout.readline()  # type: ignore[union-attr]  # it is a pipe: it has begun
        meanwhile = _rate(bank, seconds)
        found = _told_by(telling)
        ratios.append(meanwhile / alone)
        took += found["seconds"]
        console.print(f"{alone:.0f}/s alone, {meanwhile:.0f}/s beside {found['sent']:.0f} mails")
    took += _done(bank, "drain", events, _MOST_SECONDS)["seconds"]
    return {
        "drain_10000_slowdown_pct": round(max(0.0, 100 * (1 - statistics.median(ratios))), 1),
        "drain_10000_s": round(took, 1),
    }


def _rate(bank: OwnBank, seconds: float) -> float:
    """Return how many transfers a second go through in some seconds."""
    load = bank.start_python(_PROGRAM, "transfers")
    load.stdout.readline()  # type: ignore[union-attr]  # it is a pipe: the first has gone through
    time.sleep(seconds)
    return float(_told_by(load)["per_second"])


def _done(bank: OwnBank, *words: str | int) -> dict[str, Any]:
    """Do one thing in a process of its own and return what it tells."""
    return _told_by(bank.start_python(_PROGRAM, *map(str, words)))


def _told_by(program: subprocess.Popen[str]) -> dict[str, Any]:
    """Let a program end, and return its last line."""
    told, _nothing = program.communicate()
    if program.returncode:
        message = f"{program.args!r} failed"
        raise RuntimeError(message)
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found


if __name__ == "__main__":
    sys.exit(main())
