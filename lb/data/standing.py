"""Whether a backend may have requests: what its checks say, and what its answers say."""

from enum import StrEnum
from typing import Final

from lb.data.windows import Window
from lb.snapshot import Check

CONSECUTIVE: Final = 5
ENOUGH: Final = 20
MOST_FAILED: Final = 0.5
FIRST_SECONDS: Final = 5.0
LONGEST_SECONDS: Final = 60.0
PATIENCE_SECONDS: Final = 5.0
"""How long a probation waits for a request that may be sent again when it fails."""


class Health:
    """What the active checks say: so many answers one way turn it."""

    __slots__ = ("_check", "_in_a_row", "is_up")

    def __init__(self, check: Check, *, is_up: bool) -> None:
        self._check = check
        self.is_up = is_up
        self._in_a_row = 0

    def rule(self, check: Check) -> None:
        """Go by another snapshot's counts."""
        self._check = check

    def checked(self, *, well: bool) -> bool:
        """Take in an answer, and return whether it turned."""
        if well == self.is_up:
            self._in_a_row = 0
            return False
        self._in_a_row += 1
        if self._in_a_row < (self._check.rise if well else self._check.fall):
            return False
        self._in_a_row = 0
        self.is_up = well
        return True


class Trust(StrEnum):
    """What its answers earned a backend."""

    TRUSTED = "trusted"
    EJECTED = "ejected"
    PROBATION = "probation"


class Ejection:
    """What answers to clients say: out for 5 seconds, longer each time, then on probation."""

    __slots__ = ("_in_a_row", "_times", "_trusted_at", "_until", "_window", "trust")

    def __init__(self) -> None:
        self.trust = Trust.TRUSTED
        self._in_a_row = 0
        self._times = 0
        self._until = 0.0
        self._trusted_at = 0.0
        self._window = Window()

    def succeeded(self, now: float) -> bool:
        """Take in an answer, and return whether it ended a probation."""
        self._in_a_row = 0
        if self.trust is not Trust.PROBATION:
            self._window.count(now, 1, 0)
            return False
        self.trust = Trust.TRUSTED
        self._trusted_at = now
        self._window.clear()
        return True

    def failed(self, now: float) -> bool:
        """Take in a failure, and return whether the backend deserves to be ejected."""
        if self.trust is Trust.PROBATION:
            return True
        self._in_a_row += 1
        self._window.count(now, 1, 1)
        if self._in_a_row >= CONSECUTIVE:
            return True
        answers, failures = self._window.sums(now)
        return answers >= ENOUGH and failures > MOST_FAILED * answers

    def eject(self, now: float) -> None:
        """Leave it alone for a while, longer when it was ejected lately."""
        if self.trust is Trust.TRUSTED and now - self._trusted_at > LONGEST_SECONDS:
            self._times = 0
        self._until = now + min(FIRST_SECONDS * 2.0**self._times, LONGEST_SECONDS)
        self._times = min(self._times + 1, 10)
        self.trust = Trust.EJECTED
        self._in_a_row = 0
        self._window.clear()

    def wants_probation(self, now: float, *, repeatable: bool) -> bool:
        """Whether this request shall be the one that tries it."""
        if self.trust is not Trust.EJECTED:
            return False
        return now >= self._until + (0.0 if repeatable else PATIENCE_SECONDS)

    def begin_probation(self) -> None:
        """Let one request try it."""
        self.trust = Trust.PROBATION

    def end_probation(self) -> None:
        """Go back, when the request said nothing about it; the next one may try."""
        self.trust = Trust.EJECTED
