"""What is done about people every second."""

from datetime import datetime

from accounts.known import tell_untold


def run_upkeep(*, now: datetime) -> None:  # noqa: ARG001  # as every app's upkeep is called
    """Tell the cache what it was not told while it was away."""
    tell_untold()
