"""What the bank's books can wait for: run by Celery."""

from typing import Final

import psycopg
import structlog
from django.db import DatabaseError, connections

from core.db.errors import Busy
from core.jobs.periodic import daily_task
from transactions.branches.registry import nodes
from transactions.ledger.connection import fetch_one

_log: Final = structlog.get_logger(__name__)


@daily_task
def forget_requests() -> int:
    """Forget idempotency keys older than 90 days on all nodes that answer; return how many.

    Once a day is enough. A node that does not answer is logged, and has its turn the next day.
    """
    return sum(_forget_requests_of(node) for node in nodes())


def _forget_requests_of(node: str) -> int:
    try:
        return int(fetch_one("forget_requests", {}, node)[0])
    except (DatabaseError, psycopg.Error, Busy) as error:
        _log.warning("requests_not_forgotten", node=node, error=" ".join(str(error).split()))
        connections[node].close()
        return 0
