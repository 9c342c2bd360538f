"""Whether people of one age or gender are let through less often than others."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# The four-fifths rule: below it, a group is said to be treated worse.
LEAST_RATIO: Final = 0.8
_YOUNG: Final = 30
_OLD: Final = 50
_YEAR: Final = timedelta(days=365.25)

GROUPS: Final[dict[str, Promise]] = {
    "under 30": _("under 30"),
    "30 to 49": _("30 to 49"),
    "50 and above": _("50 and above"),
    "unknown": _("not known"),
    "man": _("men"),
    "woman": _("women"),
}
"""What groups are called on pages."""


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

    @property
    def let_through_percent(self) -> int:
        """Which share is let through, in whole percent."""
        return round(self.let_through * 100)

    @property
    def name(self) -> str:
        """What the group is called on a page."""
        return str(GROUPS.get(self.group, self.group))


def age_group(born: date | None, *, on: date) -> str:
    """Return the group of a person's age on a day."""
    if born is None:
        return "unknown"
    years = (on - born) / _YEAR
    if years < _YOUNG:
        return "under 30"
    return "30 to 49" if years < _OLD else "50 and above"


def bias_over(
    groups: Sequence[str], let_through: Sequence[bool], bad: Sequence[bool]
) -> list[GroupFigures]:
    """Return the figures of each group, against the one that is let through most often."""
    of = {
        name: [
            (bool(passed), bool(was_bad))
            for group, passed, was_bad in zip(groups, let_through, bad, strict=True)
            if group == name
        ]
        for name in sorted(set(groups))
    }
    shares = {
        name: sum(passed for passed, _bad in found) / len(found) for name, found in of.items()
    }
    most = max(shares.values(), default=0.0) or 1.0
    return [
        GroupFigures(
            group=name,
            loans=len(found),
            bad=sum(was_bad for _passed, was_bad in found),
            let_through=shares[name],
            adverse_impact_ratio=shares[name] / most,
        )
        for name, found in of.items()
    ]
