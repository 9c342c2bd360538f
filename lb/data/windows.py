"""Counts of the last seconds."""

from typing import Final

SECONDS: Final = 10


class Window:
    """How often two things happened in the last ten seconds, by whole seconds."""

    __slots__ = ("_at", "_first", "_second", "_slot")

    def __init__(self) -> None:
        self._first = [0] * SECONDS
        self._second = [0] * SECONDS
        self._at = 0
        self._slot = 0

    def count(self, now: float, first: int, second: int) -> None:
        """Add to both counts."""
        if now >= self._at + 1:
            self._forget(int(now))
        self._first[self._slot] += first
        self._second[self._slot] += second

    def sums(self, now: float) -> tuple[int, int]:
        """Return both counts."""
        self._forget(int(now))
        return sum(self._first), sum(self._second)

    def clear(self) -> None:
        """Forget all of it."""
        self._first = [0] * SECONDS
        self._second = [0] * SECONDS

    def _forget(self, second: int) -> None:
        if second <= self._at:
            return
        for passed in range(max(self._at + 1, second - SECONDS + 1), second + 1):
            self._first[passed % SECONDS] = 0
            self._second[passed % SECONDS] = 0
        self._at = second
        self._slot = second % SECONDS


class RetryBudget:
    """Lets few enough requests be sent again: a fifth of those of ten seconds, and three."""

    __slots__ = ("_window",)
    PART: Final = 0.2
    ALWAYS: Final = 3

    def __init__(self) -> None:
        self._window = Window()

    def request(self, now: float) -> None:
        """Count a request."""
        self._window.count(now, 1, 0)

    def allow(self, now: float) -> bool:
        """Take one retry; False when there is none left."""
        requests, retries = self._window.sums(now)
        if retries >= self.ALWAYS + self.PART * requests:
            return False
        self._window.count(now, 0, 1)
        return True
