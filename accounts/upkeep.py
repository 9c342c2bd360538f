"""What is done about people every second."""

from datetime import datetime

from accounts.known import tell_untold
from accounts.sessions import end_left_over


def run_upkeep(*, now: datetime) -> None:  # noqa: ARG001  # as every app's upkeep is called
    """Tell the cache what it was not told while it was away, and the database what it was not."""
    tell_untold()
    end_left_over()
