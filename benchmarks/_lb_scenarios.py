"""What happens to the backends while load comes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

from benchmarks._lb_proxies import PLACES, Backends

SICK: Final = 1


@dataclass(frozen=True)
class Scenario:
    """How some backends do: while the proxy warms up, and from which part of the time on.

    ``heals``: afterwards they are well again, and how soon they have their share is measured.
    """

    before: str = "usual"
    course: Sequence[tuple[float, str]] = ()
    sick: Sequence[int] = (SICK,)
    heals: bool = False

    @contextmanager
    def played(self, behind: Backends, seconds: float) -> Iterator[None]:
        """Let it happen in so many seconds, for the length of the block."""
        over = Event()
        playing = Thread(target=self._play, args=(behind, seconds, over))
        playing.start()
        try:
            yield
        finally:
            over.set()
            playing.join()

    def all_do(self, behind: Backends, mode: str) -> None:
        """Tell those who are sick how they do."""
        for place in self.sick:
            behind.do(place, mode)

    def _play(self, behind: Backends, seconds: float, over: Event) -> None:
        began = time.monotonic()
        for part, mode in self.course:
            if over.wait(max(0.0, began + part * seconds - time.monotonic())):
                return
            self.all_do(behind, mode)


SCENARIOS: Final = {
    "slow": Scenario(before="slow", heals=True),
    "black hole": Scenario(course=[(0, "failing")], heals=True),
    "homogeneous": Scenario(),
    "degrading": Scenario(course=[(0.2, "slower"), (0.4, "slow"), (0.8, "usual")]),
    "flapping": Scenario(
        course=[(0, "failing"), (0.25, "usual"), (0.5, "failing"), (0.75, "usual")]
    ),
    "freezing": Scenario(course=[(0.1, "frozen"), (0.2, "usual"), (0.6, "frozen"), (0.7, "usual")]),
    "all down": Scenario(course=[(0.2, "failing"), (0.4, "usual")], sick=range(PLACES)),
}
SHORT: Final = ("slow", "black hole")
"""What is measured unless FULL=1."""
