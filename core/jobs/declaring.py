"""Saying what a job does, in an app's ``tasks``, where workers find it.

    @job(queue=JobQueue.LONG)
    def make_statements(work: Work, *, month: str) -> None: ...

    make_statements.ask(key="2026-10", now=now, month="2026-10")

What it is called with must fit into JSON. A worker may be killed at any line of it, and the job
comes again: it goes over what it has done already and changes nothing of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core import clock
from core.jobs import queue as jobs
from core.jobs.models import JobQueue

_declared: Final[dict[str, "Declared"]] = {}


@dataclass(frozen=True, slots=True)
class Work:
    """A job's own view of itself."""

    claim: jobs.Claim

    def progress(self, done: int, total: int | None = None) -> None:
        """Say how far the job is, at least every few minutes.

        Raises:
            JobTakenByAnother: it was silent for too long; let it through, it ends this attempt.
        """
        jobs.go_on(self.claim, done=done, total=total, now=clock.now())


@dataclass(frozen=True, slots=True)
class Declared:
    """A kind of job, by its name."""

    name: str
    queue: JobQueue
    work: Callable[..., None]

    def ask(self, *, key: str, now: datetime, **arguments: Any) -> bool:
        """Queue one in the caller's transaction; False: one of this key was queued before."""
        return jobs.enqueue(self.name, key=key, queue=self.queue, arguments=arguments, now=now)


def job(*, queue: JobQueue) -> Callable[[Callable[..., None]], Declared]:
    """Declare a function to be a kind of job, known by the function's name."""

    def declare(work: Callable[..., None]) -> Declared:
        declared = Declared(work.__name__, queue, work)
        _declared[declared.name] = declared
        return declared

    return declare


def declared(name: str) -> Declared | None:
    """Return the kind of job of a name; None: this version of the bank has none."""
    return _declared.get(name)
