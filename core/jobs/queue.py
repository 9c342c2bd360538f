"""The queue of jobs, in PostgreSQL: taking one, saying how far it is, noting what came of it.

A job that is taken and not heard of for ``LEASE`` is taken by the next, so a job may run twice, or
twice at once when its first worker was only slow: what it does must be safe to do again. ``tries``
tells the one who took it last from those before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.db import connection

from core.backoff import wait_after
from core.db.sql import queries
from core.jobs.models import Job, JobState

DELAYS: Final = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
LEASE: Final = timedelta(minutes=10)
MOST_TRIES: Final = len(DELAYS) + 1
KILLED: Final = "its worker was killed or fell silent each time"
_LONGEST_FAILURE: Final = 400
_QUERIES: Final = queries(Path(__file__).parent / "sql" / "queue.sql")


class JobTakenByAnother(Exception):
    """This worker was silent for so long that another has taken the job."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that the caller alone has taken, for as long as it is heard of."""

    id: UUID
    name: str
    key: str
    arguments: dict[str, Any]
    tries: int


def enqueue(name: str, *, key: str, queue: str, arguments: dict[str, Any], now: datetime) -> bool:
    """Queue a job in the caller's transaction, if there is one; False: the key was queued before.

    Works with PostgreSQL alone: nothing is lost while Celery or its broker is down.
    """
    job = Job(
        name=name, key=key, queue=queue, arguments=arguments, next_attempt_at=now, queued_at=now
    )
    Job.objects.bulk_create([job], ignore_conflicts=True)
    return Job.objects.filter(pk=job.pk).exists()


def claim(queue: str, *, now: datetime) -> Claim | None:
    """Take the job of a queue that is due longest, if there is any."""
    taken = {"queue": queue, "now": now, "until": now + LEASE}
    found = [
        Claim(id=row.id, name=row.name, key=row.key, arguments=row.arguments, tries=row.tries)
        for row in Job.objects.raw(_QUERIES["claim"], taken)
    ]
    return found[0] if found else None


def go_on(claim: Claim, *, done: int, total: int | None, now: datetime) -> None:
    """Note how far a job has come, and keep it.

    Raises:
        JobTakenByAnother
    """
    came: dict[str, Any] = {"id": claim.id, "tries": claim.tries, "done": done, "total": total}
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["go_on"], {**came, "until": now + LEASE})
        if cursor.fetchone() is None:
            raise JobTakenByAnother(str(claim.id))


def end(claim: Claim, *, now: datetime) -> None:
    """Note that a job is done."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["end"], {"id": claim.id, "now": now})


def fail(claim: Claim, failure: str, *, now: datetime) -> None:
    """Note a failure: the job is tried again later, or is dead after ``MOST_TRIES``."""
    wait = wait_after(claim.tries, DELAYS)
    parameters: dict[str, Any] = {
        "id": claim.id,
        "tries": claim.tries,
        "now": now,
        "next": None if wait is None else now + wait,
        "failure": " ".join(failure.split())[:_LONGEST_FAILURE],
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUERIES["fail"], parameters)


def retry_dead(jobs: Any, *, now: datetime) -> int:
    """Let those of a query set that are dead be tried again from the start; return how many."""
    dead = jobs.filter(state=JobState.DEAD)
    return int(dead.update(state=JobState.QUEUED, tries=0, next_attempt_at=now, ended_at=None))
