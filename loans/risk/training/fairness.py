"""Whether people of one age or gender are let through less often than others."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from loans.risk.training.metrics import Array

# The four-fifths rule: below it, a group is said to be treated worse.
LEAST_RATIO: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """One group: how many, how many bad, which share is let through, and against the best group."""

    group: str
    loans: int
    bad: int
    let_through: float
    adverse_impact_ratio: float

    @property
    def alarm(self) -> bool:
        """Say whether the four-fifths rule is broken."""
        return self.adverse_impact_ratio < LEAST_RATIO


def bias_over(groups: Sequence[str], let_through: Array, bad: Array) -> list[GroupFigures]:
    """Return the figures of each group, against the one that is let through most often."""
    of = np.array(groups)
    names = sorted(set(groups))
    shares = {name: float(let_through[of == name].mean()) for name in names}
    most = max(shares.values()) or 1.0
    return [
        GroupFigures(
            group=name,
            loans=int((of == name).sum()),
            bad=int(bad[of == name].sum()),
            let_through=shares[name],
            adverse_impact_ratio=shares[name] / most,
        )
        for name in names
    ]
