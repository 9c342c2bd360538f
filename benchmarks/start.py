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
    """Measure, and print a last line of JSON."""
    rounds = int(os.environ.get("ROUNDS", "3"))
    first, second = [], []
    for _round in track(range(rounds), "Starting", console=Console(stderr=True)):
        with tempfile.TemporaryDirectory() as folder:
            bank = Bank(Path(folder) / "var")
            first.append(_seconds_until_open(bank))
            second.append(_seconds_until_open(bank))
    figures = {
        "first_start_s": round(statistics.median(first), 1),
        "second_start_s": round(statistics.median(second), 1),
    }
    print(f"Second start: {figures['second_start_s']} s, at most {SECOND_START_SECONDS}")
    print(json.dumps({"name": "start", "ratios": {}, "figures": figures}))
    return 0


def _seconds_until_open(bank: Bank) -> float:
    with bank.run(_MAKE_RUN) as terminal:
        seconds = bank.wait_until_open(terminal)
        terminal.type(CTRL_C)
        terminal.wait()
    return seconds


if __name__ == "__main__":
    sys.exit(main())
