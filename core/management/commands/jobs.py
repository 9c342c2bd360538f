"""Show the background work: what waits, runs, has failed or is overdue."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from core.clock import now
from core.jobs.models import Job
from core.jobs.state import State, state_of_jobs
from core.management.base import BankCommand


class Command(BankCommand):
    """Exits 1 while somebody should look: dead or overdue work, or no broker."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Know the form for programs."""
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *, json: bool, **_options: Any) -> None:
        """Print the state."""
        state = state_of_jobs(now=now())
        for line in [_as_json(state)] if json else _lines(state):
            self.stdout.write(line)
        if not state.is_well:
            sys.exit(1)


def _lines(state: State) -> Iterator[str]:
    if state.broker is None:
        yield "broker    does not answer: nothing is lost, and everything waits"
    else:
        waiting = ", ".join(f"{name} {count}" for name, count in state.broker.waiting.items())
        yield f"triggers  {waiting}"
        yield f"workers   {', '.join(state.broker.workers) or 'none answers'}"
    for word, jobs in (
        ("queued", state.queued),
        ("running", state.running),
        ("dead", state.dead),
        ("overdue", state.late_jobs),
    ):
        yield from (f"{word:<9} {_told(job)}" for job in jobs)
    yield from (
        f"overdue   {task.name}: beat woke it last {task.last_run_at}" for task in state.late_tasks
    )
    yield from (f"failed    {one.task_name} {one.date_done:%Y-%m-%d %H:%M}" for one in state.failed)
    if state.is_well:
        yield "All is well."


def _told(job: Job) -> str:
    progress = "" if job.total is None else f", {job.done} of {job.total}"
    failure = f": {job.failure}" if job.failure else ""
    return f"{job}{progress}, {job.tries} tries, due {job.next_attempt_at:%Y-%m-%d %H:%M}{failure}"


def _as_json(state: State) -> str:
    broker = state.broker
    return json.dumps(
        {
            "is_well": state.is_well,
            "triggers": broker and broker.waiting,
            "workers": broker and list(broker.workers),
            "queued": [str(job) for job in state.queued],
            "running": [
                {"job": str(job), "done": job.done, "total": job.total} for job in state.running
            ],
            "dead": [{"job": str(job), "failure": job.failure} for job in state.dead],
            "overdue": [
                *(str(job) for job in state.late_jobs),
                *(str(task.name) for task in state.late_tasks),
            ],
            "failed": [one.task_name for one in state.failed],
        }
    )
