"""How long to wait before something that failed is tried again."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

JITTER: Final = 0.1


def wait_after(tries: int, delays: Sequence[timedelta]) -> timedelta | None:
    """Return how long to wait after so many attempts; None when that was the last.

    It is never quite the same for all that failed together.
    """
    if tries > len(delays):
        return None
    return delays[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # no secret
