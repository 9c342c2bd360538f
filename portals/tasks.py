"""What the worker does for pages and reports."""

from typing import Any

from celery import shared_task
from celery.signals import worker_init

from core import clock
from core.jobs.declaring import Work, job
from core.jobs.models import JobQueue
from portals.reports.monthly import due_month, is_sent, made_report, send_report
from portals.reports.pictures import draw_account
from transactions.reporting.month import Month

__all__ = ["draw_account", "make_monthly_report", "monthly_report"]


@worker_init.connect
def load_what_draws(**_signal: Any) -> None:
    """Load what pictures are drawn with once, before the worker parts into processes."""
    import portals.reports.charts  # noqa: F401


@shared_task
def monthly_report() -> bool:
    """Ask for the report that is due, once a day until everybody has it; tell whether it was."""
    now = clock.now()
    month = due_month(now)
    if month is None or is_sent(month):
        return False
    key = f"{month} on {clock.bank_day(now)}"
    return make_monthly_report.ask(key=key, now=now, month=str(month))


@job(queue=JobQueue.LONG)
def make_monthly_report(_work: Work, *, month: str, copy: int = 0) -> None:
    """Make a month's report, if it was not, and mail a copy to who has not had that one."""
    now = clock.now()
    send_report(made_report(Month.parse(month, now=now), now=now), copy=copy, now=now)
