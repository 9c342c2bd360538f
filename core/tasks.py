"""What Celery runs for every app: the jobs that are due, and the forgetting of old ones."""

from datetime import timedelta
from typing import Final

from celery import shared_task

from core import clock
from core.jobs.models import Job, JobState
from core.jobs.periodic import daily_task
from core.jobs.running import run_due

# A task leaves its place to others now and then, and keeps no worker from stopping.
_SECONDS: Final = 5.0
# As long as a key of a year's or a month's job may be asked for again.
_KEPT_FOR: Final = timedelta(days=800)


@shared_task
def run_jobs(queue: str) -> int:
    """Do the jobs of a queue that are due, and return how many."""
    return run_due(queue, seconds=_SECONDS)


@daily_task
def forget_jobs() -> int:
    """Forget jobs that were done long ago; return how many."""
    old = Job.objects.filter(state=JobState.DONE, ended_at__lt=clock.now() - _KEPT_FOR)
    return old.delete()[0]
