"""Accounts at which transfers between nodes met lately, as this process has seen it.

Where they meet, working both sides at once comes to nothing: each waits for what the other holds,
until the short wait is over, and nobody else gets through meanwhile.
"""

import time
from typing import Final

LASTING_SECONDS: Final = 5.0
MOST: Final = 1_000

_met_at: Final[dict[int, float]] = {}


def note_meeting(*accounts: int) -> None:
    """Note that an attempt at these accounts came to nothing because of others."""
    at = time.monotonic()
    if len(_met_at) + len(accounts) > MOST:
        _met_at.clear()
    _met_at.update(dict.fromkeys(accounts, at))


def met_lately(*accounts: int) -> bool:
    """Tell whether others may still be at one of these accounts."""
    since = time.monotonic() - LASTING_SECONDS
    return any(_met_at.get(account, since) > since for account in accounts)
