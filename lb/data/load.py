"""What a backend's next request would cost, from what its last ones did."""

from math import exp
from typing import Final

TAU_SECONDS: Final = 5.0
FLOOR_SECONDS: Final = 0.008
PENALTY_SECONDS: Final = 1.5
RAMP_SECONDS: Final = 5.0
RAMP_START: Final = 0.1


class PeakEwma:
    """Seconds of an answer: a worse one counts at once, better ones bit by bit.

    It fades while nobody asks, so that a backend that was slow is tried again.
    """

    __slots__ = ("_at", "peak")

    def __init__(self, seconds: float = 0.0, at: float = 0.0) -> None:
        self.peak = seconds
        """The estimate when it was last observed; it only falls from there."""
        self._at = at

    def observe(self, seconds: float, now: float) -> None:
        """Take in the seconds of an answer."""
        if seconds > self.peak:
            self.peak = seconds
        else:
            kept = exp((self._at - now) / TAU_SECONDS)
            self.peak = self.peak * kept + seconds * (1.0 - kept)
        self._at = now

    def seconds(self, now: float) -> float:
        """Return the estimate."""
        return self.peak * exp((self._at - now) / TAU_SECONDS)


class Load:
    """What one backend has in hand, how long its answers take, and how much it shall get."""

    __slots__ = ("_estimate", "_ramp_from", "_started", "share", "weight")

    def __init__(self, weight: int, *, seconds: float = 0.0, now: float = 0.0) -> None:
        self.weight = weight
        self.share = 0.0
        """What round robin owes it."""
        self._estimate = PeakEwma(seconds, now)
        self._started: dict[object, float] = {}
        self._ramp_from: float | None = None

    @property
    def in_flight(self) -> int:
        """How many requests it has."""
        return len(self._started)

    def begin(self, request: object, now: float) -> None:
        """Count a request in."""
        self._started[request] = now

    def end(self, request: object) -> None:
        """Count it out."""
        self._started.pop(request, None)

    def answered(self, seconds: float, now: float) -> None:
        """Take in an answer."""
        self._estimate.observe(seconds, now)

    def failed(self, now: float) -> None:
        """Take in a failure: quick ones would look like the best of answers."""
        self._estimate.observe(max(self._estimate.seconds(now), PENALTY_SECONDS), now)

    def start_ramp(self, now: float) -> None:
        """Give it little at first, and its whole weight when the ramp is over."""
        self._ramp_from = now

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
        seconds = self._estimate.seconds(now)
        if self._started:
            return max(seconds, now - next(iter(self._started.values())))
        return seconds

    def connections_cost(self, now: float) -> float:
        """Return the requests that it would have, by weight."""
        return (len(self._started) + 1) / self.weight_now(now)

    def latency_cost(self, now: float) -> float:
        """Return the requests that it would have times the seconds of one, by weight."""
        return self._estimate.seconds(now) * self.connections_cost(now)

    def cost(self, now: float) -> float:
        """Return the hybrid's cost. The floor keeps noise from herding all to one backend."""
        seconds, waiting = FLOOR_SECONDS, 1
        if self._estimate.peak > seconds:
            seconds = max(self._estimate.seconds(now), seconds)
        if self._started:
            seconds = max(now - next(iter(self._started.values())), seconds)
            waiting += len(self._started)
        weight = self.weight if self._ramp_from is None else self.weight_now(now)
        return seconds * waiting / weight
