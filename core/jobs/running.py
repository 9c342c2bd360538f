"""Doing the jobs that are due."""

import time
from typing import Final

import structlog

from core import clock
from core.jobs import queue as jobs
from core.jobs.declaring import Work, declared

_log: Final = structlog.get_logger(__name__)


def run_due(queue: str, *, seconds: float) -> int:
    """Do jobs of a queue, one after the other, and begin none after so long; return how many.

    Safe to run anywhere, at once and at any time: each job is taken by one only.
    """
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end and (claim := jobs.claim(queue, now=clock.now())) is not None:
        _run(claim)
        count += 1
    return count


def _run(claim: jobs.Claim) -> None:
    """Do one job; whatever goes wrong with it is noted, and stops no other."""
    kind = declared(claim.name)
    try:
        if claim.tries > jobs.MOST_TRIES:
            raise RuntimeError(jobs.KILLED)  # noqa: TRY301  # noted as any failure
        if kind is None:
            message = f"nothing here is called {claim.name}"
            raise LookupError(message)  # noqa: TRY301  # noted as any failure
        kind.work(Work(claim), **claim.arguments)
    except jobs.JobTakenByAnother:
        _log.warning("job_taken_by_another", job=claim.name, key=claim.key)
    except Exception as error:  # noqa: BLE001  # noted, and stops no other
        _log.exception("job_failed", job=claim.name, key=claim.key, tries=claim.tries)
        jobs.fail(claim, f"{type(error).__name__}: {error}", now=clock.now())
    else:
        jobs.end(claim, now=clock.now())
        _log.info("job_done", job=claim.name, key=claim.key, tries=claim.tries)
