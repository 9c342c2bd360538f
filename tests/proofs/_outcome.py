"""How a proof ends: its counts for people, one last line of JSON, and the exit status."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What was counted, and what is not as it should be."""

    counts: dict[str, object] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def check(self, what: str, *, holds: bool) -> None:
        """Note a failure unless something holds."""
        if not holds:
            self.failures.append(what)


def conclude(
    *, name: str, seed: int | None, counts: Mapping[str, object], failures: Sequence[str]
) -> int:
    """Print how a proof ended and return its exit status."""
    for label, figure in counts.items():
        print(f"{figure!s:>12}  {label.replace('_', ' ')}")
    for failure in failures:
        print(f"FAILED: {failure}")
    answer = {
        "name": name,
        "passed": not failures,
        "seed": seed,
        "counts": counts,
        "failures": failures,
    }
    print(json.dumps(answer))
    return 1 if failures else 0
