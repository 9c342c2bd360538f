"""What waits, runs, has failed or is overdue, for whoever looks after the bank."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from celery import current_app
from django.conf import settings
from django.db.models import QuerySet
from django_celery_beat.models import PeriodicTask
from django_celery_results.models import TaskResult
from kombu.exceptions import OperationalError
from redis import Redis, RedisError

from core.jobs.models import Job, JobState

# A trigger, or a worker, that is later than this does not come by itself.
PATIENCE: Final = timedelta(minutes=5)
_BROKER_SECONDS: Final = 2.0
WORKERS_SECONDS: Final = 1.0
_MOST: Final = 50
_log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """The triggers that wait in each queue, and the names of the workers that answer."""

    waiting: dict[str, int]
    workers: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Jobs by their state, tasks that failed lately and what comes too late.

    ``broker`` is None while it does not answer: then nothing is lost, and everything waits.
    """

    broker: Broker | None
    queued: Sequence[Job]
    running: Sequence[Job]
    dead: Sequence[Job]
    failed: Sequence[TaskResult]
    late_tasks: Sequence[PeriodicTask]
    late_jobs: Sequence[Job]

    @property
    def is_well(self) -> bool:
        """Tell whether nobody needs to look after anything."""
        return self.broker is not None and not (self.dead or self.late_tasks or self.late_jobs)


def state_of_jobs(*, now: datetime) -> State:
    """Return how the background work stands."""
    return State(
        broker=_broker(),
        queued=_some(Job.objects.filter(state=JobState.QUEUED)),
        running=_some(Job.objects.filter(state=JobState.RUNNING)),
        dead=_some(Job.objects.filter(state=JobState.DEAD)),
        failed=_some(
            TaskResult.objects.filter(
                status="FAILURE", date_done__gt=now - timedelta(days=1)
            ).order_by("-date_done")
        ),
        late_tasks=[one for one in _time_table() if _is_late(one, now)],
        late_jobs=_some(
            Job.objects.filter(
                state__in=[JobState.QUEUED, JobState.RUNNING], next_attempt_at__lt=now - PATIENCE
            )
        ),
    )


def _some(rows: QuerySet[Any]) -> list[Any]:
    return list(rows[:_MOST])


def _time_table() -> QuerySet[PeriodicTask]:
    found: QuerySet[PeriodicTask] = PeriodicTask.objects.filter(enabled=True).select_related(
        "interval", "crontab"
    )
    return found.order_by("name")


def _is_late(task: PeriodicTask, now: datetime) -> bool:
    """Tell whether beat should have woken a task some time ago."""
    last = task.last_run_at or task.date_changed
    return bool(task.schedule.remaining_estimate(last) < -PATIENCE) if last < now else False


def _broker() -> Broker | None:
    names = [queue.name for queue in settings.CELERY_TASK_QUEUES]
    try:
        with Redis.from_url(
            settings.CELERY_BROKER_URL,
            socket_connect_timeout=_BROKER_SECONDS,
            socket_timeout=_BROKER_SECONDS,
        ) as redis:
            waiting = {name: int(redis.llen(name)) for name in names}
        answers = current_app.control.ping(timeout=WORKERS_SECONDS)
    except (RedisError, OperationalError, OSError) as error:
        _log.warning("broker_does_not_answer", error=" ".join(str(error).split()))
        return None
    return Broker(waiting=waiting, workers=sorted(name for one in answers or () for name in one))
