"""The months of the table of alerts, made ahead. `manage.py watch` runs it."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import structlog
from psycopg.errors import CheckViolation

from core.db.aliases import HEAD_OFFICE
from core.db.errors import Busy
from core.db.sql import queries
from transactions.ledger.connection import ledger_cursor

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "partitions.sql")
_log = structlog.get_logger(__name__)


def add_alert_partitions(*, first: date, ahead: int) -> int:
    """Make the months from one to so many later that are missing, and return how many.

    What is in the way is logged: then alerts land in the DEFAULT partition, and none is lost.
    """
    added = 0
    for (month,) in _rows("months_without_partition", {"first": first, "ahead": ahead}):
        try:
            added += bool(_rows("add_partition", {"month": month})[0][0])
        except Busy:
            _log.warning("alert_partition_postponed", month=month.isoformat())
            break
        except CheckViolation:
            _log.error("alert_partition_impossible", month=month.isoformat())
    return added


def _rows(name: str, asked: dict[str, Any]) -> list[Any]:
    with ledger_cursor(HEAD_OFFICE) as cursor:
        return cursor.execute(_QUERIES[name], asked).fetchall()
