"""What a backend's next request would cost, from what its last ones did."""

from math import exp, inf
from typing import Final

TAU_SECONDS: Final = 5.0
MOST_KEPT: Final = 0.85
"""What one answer leaves of an estimate, at most. A machine that stops for a moment makes all
backends look slow at once: that is forgotten after a few answers, not after seconds."""
FLOOR_SECONDS: Final = 0.008
PENALTY_SECONDS: Final = 1.5
RAMP_SECONDS: Final = 5.0
RAMP_START: Final = 0.1


class Load:
    """What one backend has in hand, how long its answers take, and how much it shall get.

    Of its answers' seconds it keeps an estimate: a worse one counts at once, better ones bit by
    bit. It fades while nobody asks, so that a backend that was slow is tried again.
    """

    __slots__ = ("_at", "_oldest", "_peak", "_ramp_from", "_started", "share", "weight")

    def __init__(self, weight: int, *, seconds: float = 0.0, now: float = 0.0) -> None:
        self.weight = weight
        self.share = 0.0
        """What round robin owes it."""
        self._peak = seconds
        self._at = now
        """When the estimate was last observed; it only falls from there."""
        self._started: dict[object, float] = {}
        self._oldest = inf
        """When the oldest of its requests began."""
        self._ramp_from: float | None = None

    @property
    def in_flight(self) -> int:
        """How many requests it has."""
        return len(self._started)

    def begin(self, request: object, now: float) -> None:
        """Count a request in."""
        if not self._started:
            self._oldest = now
        self._started[request] = now

    def end(self, request: object) -> None:
        """Count it out."""
        if self._started.pop(request, None) == self._oldest:
            self._oldest = next(iter(self._started.values()), inf)

    def answered(self, seconds: float, now: float) -> None:
        """Take in the seconds of an answer."""
        if seconds > self._peak:
            self._peak = seconds
        else:
            kept = exp((self._at - now) / TAU_SECONDS)
            if kept > MOST_KEPT:  # noqa: PLR1730  # as min() takes longer than all the rest of it
                kept = MOST_KEPT
            self._peak = self._peak * kept + seconds * (1.0 - kept)
        self._at = now

    def failed(self, now: float) -> None:
        """Take in a failure: quick ones would look like the best of answers."""
        self._peak = max(self._faded(now), PENALTY_SECONDS)
        self._at = now

    def start_anew(self, seconds: float, now: float) -> None:
        """Forget what was: suppose so many seconds, and give it its weight bit by bit."""
        self._peak = seconds
        self._at = self._ramp_from = now

    def weight_now(self, now: float) -> float:
        """Return the weight, less what the ramp holds back."""
        if self._ramp_from is None:
            return float(self.weight)
        passed = (now - self._ramp_from) / RAMP_SECONDS
        if passed >= 1.0:
            self._ramp_from = None
            return float(self.weight)
        return self.weight * max(RAMP_START, passed)

    def seconds(self, now: float) -> float:
        """Return the estimate: no less than the oldest request waits already."""
        return max(self._faded(now), now - self._oldest)

    def connections_cost(self, now: float) -> float:
        """Return the requests that it would have, by weight."""
        return (len(self._started) + 1) / self.weight_now(now)

    def latency_cost(self, now: float) -> float:
        """Return the requests that it would have times the seconds of one, by weight."""
        return self._faded(now) * self.connections_cost(now)

    def cost(self, now: float) -> float:
        """Return the hybrid's cost. The floor keeps noise from herding all to one backend."""
        # Each request asks each backend: max() would take longer than all the rest of it.
        seconds = now - self._oldest
        if seconds < FLOOR_SECONDS:  # noqa: PLR1730  # as above
            seconds = FLOOR_SECONDS
        if self._peak > seconds:
            seconds = max(self._peak * exp((self._at - now) / TAU_SECONDS), seconds)
        weight = self.weight if self._ramp_from is None else self.weight_now(now)
        return seconds * (len(self._started) + 1) / weight

    def _faded(self, now: float) -> float:
        return self._peak * exp((self._at - now) / TAU_SECONDS)
