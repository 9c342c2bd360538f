"""What a run has found so far: the clients' notes against the books, again after each fault."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tests.faults._checker import Bank, check
from tests.faults._history import Ending, History, Outcome, Reading
from tests.faults._notes import history_of
from tests.faults._opening import HOMES, TOTAL

BANK: Final = Bank(homes=HOMES, total=TOTAL)


class Judge:
    """Tells what is wrong, each thing once and with the fault after which it was seen first."""

    def __init__(self) -> None:
        """Nothing is wrong so far."""
        self.counts: Counter[str] = Counter()
        self.failures: list[str] = []
        self.slowest_ms = 0
        self._readings: list[Reading] = []
        self._known: set[str] = set()

    def read(self, reading: Reading) -> None:
        """Remember what the laboratory itself has read."""
        self._readings.append(reading)

    def fail(self, fault: str, problem: str) -> None:
        """Note what is wrong beside the money."""
        self.failures.append(f"{fault}: {problem}")

    def judge(self, fault: str, ending: Ending, *, notes: Iterable[Path]) -> None:
        """Check everything once more, after a fault."""
        seen = history_of(path for path in notes if path.exists())
        self._count(seen, ending)
        history = History(
            sendings=seen.sendings,
            readings=(*seen.readings, *self._readings),
            statements=seen.statements,
        )
        for violation in map(str, check(history, ending, bank=BANK)):
            if violation not in self._known:
                self._known.add(violation)
                self.fail(fault, violation)

    def _count(self, seen: History, ending: Ending) -> None:
        self.counts.update(judged=1)
        self.slowest_ms = max(self.slowest_ms, round(1000 * (ending.settled_seconds or 0)))
        ended = Counter(sending.outcome for sending in seen.sendings)
        self.counts["transfers"] = len(seen.sendings)
        for outcome in Outcome:
            self.counts[f"transfers_{outcome}"] = ended[outcome]
        self.counts["reads"] = len(seen.readings) + len(self._readings)
        self.counts["reads_behind_the_barrier"] = sum(each.is_exact for each in seen.readings)
        self.counts["reads_with_a_token"] = len(seen.statements)
        self.counts["reads_with_a_token_on_the_replica"] = sum(
            each.is_copy for each in seen.statements
        )
