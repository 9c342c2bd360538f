"""How long `make run` takes until the bank is open: from nothing, and with its data.

`make bench NAME=start`; ROUNDS changes how often. The libraries are installed already.
"""

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import track

from tests.functional.runtime.terminal import CTRL_C, Bank

SECOND_START_SECONDS: Final = 8
_MAKE_RUN: Final = ("make", "run")


def main() -> int:
    """Measure, and print a last line of JSON; 1 when the books of a bank do not prove."""
    rounds = int(os.environ.get("ROUNDS", "3"))
    wrong = ""
    first: list[float] = []
    second: list[float] = []
    for _round in track(range(rounds), "Starting", console=Console(stderr=True)):
        with tempfile.TemporaryDirectory() as folder:
            bank = Bank(Path(folder) / "var")
            for times in (first, second):
                seconds, complaint = _opened(bank)
                times.append(seconds)
                wrong += complaint
    figures = {
        "first_start_s": round(statistics.median(first), 1),
        "second_start_s": round(statistics.median(second), 1),
    }
    print(f"Second start: {figures['second_start_s']} s, at most {SECOND_START_SECONDS}")
    print(wrong or "The books prove.")
    print(json.dumps({"name": "start", "ratios": {}, "figures": figures}))
    return int(bool(wrong))


def _opened(bank: Bank) -> tuple[float, str]:
    """Return the seconds until the bank was open, and what is wrong with its books."""
    with bank.run(_MAKE_RUN) as terminal:
        seconds = bank.wait_until_open(terminal)
        checked = bank.manage("check_books")
        terminal.type(CTRL_C)
        terminal.wait()
    return seconds, checked.stdout + checked.stderr if checked.returncode else ""


if __name__ == "__main__":
    sys.exit(main())
