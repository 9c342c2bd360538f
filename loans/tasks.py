"""What lending can wait for: run by Celery."""

from datetime import date
from typing import Final

import structlog

from core import clock
from core.errors import DomainError
from core.jobs.declaring import Work, job
from core.jobs.models import JobQueue
from core.jobs.periodic import daily_task
from loans.risk.demo import apply_in_demo
from loans.risk.models import TrainingData
from loans.risk.rescoring import rescore_loans
from loans.risk.retraining import make_demo_model, train_for_applications
from loans.risk.watching import note_outcomes, score_left_over, watch_month
from transactions.reporting.month import Month

_log: Final = structlog.get_logger(__name__)


@daily_task
def watch_risk() -> None:
    """Score what was not, note what became of loans, and look at the month that is over, once."""
    now = clock.now()
    score_left_over(now=now)
    note_outcomes(now=now)
    watch_month(Month.before(now))


@job(queue=JobQueue.LONG)
def train_risk_model(_work: Work) -> None:
    """Train on the bank's own loans; the model waits for who appoints it."""
    now = clock.now()
    note_outcomes(now=now)
    try:
        train_for_applications(TrainingData.BOOK, now=now)
    except DomainError as error:
        # Trying again would find the same loans.
        _log.warning("risk_model_not_trained", error=error.message)


@job(queue=JobQueue.LONG)
def train_demo_risk_model(_work: Work) -> None:
    """Give the demo a model, made of invented loans, and something to score."""
    make_demo_model(now=clock.now())
    apply_in_demo(now=clock.now())


@job(queue=JobQueue.LONG)
def rescore_book(work: Work, *, day: str) -> None:
    """Score every loan that runs by today's champion."""
    now = clock.now()
    score_left_over(now=now)
    rescore_loans(date.fromisoformat(day), now=now, progress=work.progress)
