"""Whether applicants, or what becomes of their loans, are still as when a model was trained."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# The usual reading of the population stability index: above it, who applies has changed.
PSI_ALARM: Final = 0.25
_LEAST_SHARE: Final = 1e-4
_DEVIATIONS: Final = 3
# Of fewer than that, one or two are chance whatever was expected.
_LEAST_BAD: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Realised:
    """How many loans went bad, of how many, and how many the scores had let expect."""

    loans: int
    bad: int
    expected: float
    alarm: bool


def shares(values: Sequence[float], edges: Sequence[float]) -> list[float]:
    """Return which share of the values lies before the first edge, between two, after the last."""
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[bisect_right(edges, value)] += 1
    return [count / len(values) for count in counts]


def stability_index(expected: Sequence[float], found: Sequence[float]) -> float:
    """Return the population stability index (PSI) of two spreads over the same edges."""
    pairs = [
        (max(before, _LEAST_SHARE), max(now, _LEAST_SHARE))
        for before, now in zip(expected, found, strict=True)
    ]
    return sum((now - before) * math.log(now / before) for before, now in pairs)


def realised_default(probabilities: Sequence[float], bad: Sequence[bool]) -> Realised:
    """Compare outcomes with scores; alarmed when chance gives so many less than once in 700."""
    expected = sum(probabilities)
    deviation = math.sqrt(sum(chance * (1 - chance) for chance in probabilities))
    return Realised(
        loans=len(bad),
        bad=sum(bad),
        expected=expected,
        alarm=sum(bad) >= _LEAST_BAD and sum(bad) - expected > _DEVIATIONS * deviation,
    )
