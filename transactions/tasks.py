"""What the bank's books can wait for: run by Celery."""

from typing import Final

import psycopg
import structlog
from celery import shared_task
from django.db import DatabaseError, connections

from core import clock
from core.db.errors import Busy
from core.jobs.declaring import Work, job
from core.jobs.models import JobQueue
from core.jobs.periodic import daily_task
from transactions.branches.registry import nodes
from transactions.fraud.watching import watch_all
from transactions.ledger.connection import fetch_one
from transactions.reporting.month import Month
from transactions.statements.monthly import mail_statements

# A backlog leaves the worker to others now and then.
_WATCH_SECONDS: Final = 5.0
_log: Final = structlog.get_logger(__name__)


@daily_task
def forget_requests() -> int:
    """Forget idempotency keys older than 90 days on all nodes that answer; return how many.

    Once a day is enough. A node that does not answer is logged, and has its turn the next day.
    """
    return sum(_forget_requests_of(node) for node in nodes())


@shared_task
def monthly_statements() -> bool:
    """Ask for the statements of the month that is over, once; tell whether this was the time."""
    now = clock.now()
    month = Month.before(now)
    return mail_monthly_statements.ask(key=str(month), now=now, month=str(month))


@shared_task
def watch_for_fraud() -> int:
    """Look at what happened on accounts and at the door; return how many alerts were raised."""
    return watch_all(now=clock.now(), seconds=_WATCH_SECONDS)


@job(queue=JobQueue.LONG)
def mail_monthly_statements(work: Work, *, month: str) -> None:
    """Put a month's statements into the mail, those that were not yet."""
    now = clock.now()
    mail_statements(Month.parse(month, now=now), now=now, progress=work.progress)


def _forget_requests_of(node: str) -> int:
    try:
        return int(fetch_one("forget_requests", {}, node)[0])
    except (DatabaseError, psycopg.Error, Busy) as error:
        _log.warning("requests_not_forgotten", node=node, error=" ".join(str(error).split()))
        connections[node].close()
        return 0
