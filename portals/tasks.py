"""What the worker does for pages and reports."""

from typing import Any

from celery.signals import worker_init

from portals.reports.pictures import draw_account

__all__ = ["draw_account"]


@worker_init.connect
def load_what_draws(**_signal: Any) -> None:
    """Load what pictures are drawn with once, before the worker parts into processes."""
    import portals.reports.charts  # noqa: F401
