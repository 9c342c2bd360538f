"""What the ledger needs from time to time; money never waits for it. `manage.py watch` runs it."""

from datetime import date, datetime
from typing import Final

import structlog
from psycopg.errors import CheckViolation

from core.db.errors import Busy
from transactions.ledger.connection import fetch_one

MONTHS_AHEAD: Final = 12
_log = structlog.get_logger(__name__)


def run_upkeep(*, now: datetime, using: str = "default") -> None:
    """Tidy expired holds, fold summed accounts, add partitions.

    Each part is short and safe to repeat; run it every few seconds, from as many processes as like.
    """
    fetch_one("expire_holds", {}, using)
    fetch_one("fold", {}, using)
    add_partitions(now=now, using=using)
    stray = fetch_one("rows_in_default", {}, using)[0]
    if stray:
        _log.error("journal_rows_in_default_partition", rows=stray, node=using)


def add_partitions(*, now: datetime, using: str = "default") -> int:
    """Make the journal's partitions a year ahead and return how many were added.

    A posting that is prepared or slow may be in the way: then the next call does it.
    """
    added = 0
    first = now.year * 12 + now.month - 1
    for year, month0 in (divmod(first + ahead, 12) for ahead in range(MONTHS_AHEAD + 1)):
        month = date(year, month0 + 1, 1)
        try:
            added += bool(fetch_one("add_partition", {"month": month}, using)[0])
        except Busy:
            _log.warning("journal_partition_postponed", month=month.isoformat(), node=using)
            break
        except CheckViolation:
            # Transfers of the month are in DEFAULT already: the alarm's business, and the owner's.
            _log.error("journal_partition_impossible", month=month.isoformat(), node=using)
    return added
