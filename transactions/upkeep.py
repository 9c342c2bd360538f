"""What the ledger needs from time to time; money never waits for it. `manage.py watch` runs it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import date, datetime
from typing import Any, Final

import psycopg
import structlog
from django.db import DatabaseError, connections
from psycopg.errors import CheckViolation

from accounts.approvals import carry_out_left_over
from core.db.errors import Busy
from core.db.patience import patient_for
from core.errors import DomainError
from transactions.branches.agreement import copy_changes
from transactions.branches.alarms import sound_alarms
from transactions.branches.moving import spread_moves
from transactions.branches.recovery import sweep_node
from transactions.branches.registry import HEAD_OFFICE, nodes
from transactions.events import feed_events
from transactions.ledger.connection import fetch_one
from transactions.limits.changing import apply_due_raises
from transactions.payments.cooling import keep_cooling
from transactions.payments.due_dates import queue_standing_orders
from transactions.payments.scheduling import send_due_transfers
from transactions.welcome import open_waiting_accounts

MONTHS_AHEAD: Final = 12
PATIENCE_SECONDS: Final = 2.0
# A fold after a long import reads millions of rows; what takes longer has fallen silent.
LONGEST_SECONDS: Final = 60.0
_log = structlog.get_logger(__name__)


class _Worker:
    """A thread for one kind of work on one node, with its own connections."""

    def __init__(self, job: Callable[..., Any]) -> None:
        self._job = job
        self._thread = ThreadPoolExecutor(1)
        self._under_way: Future[Any] | None = None

    def begin(self, **arguments: Any) -> Future[Any]:
        """Begin the work, unless it is under way still."""
        if self._under_way is None or self._under_way.done():
            self._under_way = self._thread.submit(self._do, **arguments)
        return self._under_way

    def _do(self, **arguments: Any) -> None:
        try:
            with patient_for(LONGEST_SECONDS):
                self._job(**arguments)
        except (DatabaseError, psycopg.Error, DomainError) as error:
            _log.warning("upkeep_failed", error=" ".join(str(error).split()), **arguments)
            connections.close_all()
        except Exception:  # noqa: BLE001  # no failure may end the watch
            _log.exception("upkeep_failed", **arguments)


_workers: Final[dict[tuple[str, str], _Worker]] = {}


def run_upkeep(*, now: datetime) -> None:
    """Settle what is in doubt, copy what changed on accounts, keep every node up, send what is due.

    Each part is short and safe to repeat; run it every second, from as many processes as like. A
    part that hangs, because its node does, keeps no other waiting.
    """
    begun = []
    for node in nodes():
        sweeper = _workers.setdefault((node, "sweep"), _Worker(sweep_node))
        keeper = _workers.setdefault((node, "keep_up"), _Worker(keep_up))
        copier = _workers.setdefault((node, "copy"), _Worker(copy_changes))
        spreader = _workers.setdefault((node, "spread"), _Worker(spread_moves))
        feeder = _workers.setdefault((node, "feed"), _Worker(feed_events))
        begun += [
            sweeper.begin(node=node),
            keeper.begin(node=node, now=now),
            copier.begin(node=node),
            spreader.begin(node=node),
            feeder.begin(node=node, now=now),
        ]
    _workers.setdefault((HEAD_OFFICE, "alarms"), _Worker(sound_alarms)).begin()
    sender = _workers.setdefault((HEAD_OFFICE, "send"), _Worker(send_due_transfers))
    sender.begin(now=now)
    keeper_of_dates = _workers.setdefault((HEAD_OFFICE, "dates"), _Worker(keep_dates))
    keeper_of_dates.begin(now=now)
    _workers.setdefault((HEAD_OFFICE, "approvals"), _Worker(carry_out_left_over)).begin()
    welcomer = _workers.setdefault((HEAD_OFFICE, "welcome"), _Worker(open_waiting_accounts))
    welcomer.begin(now=now)
    wait(begun, timeout=PATIENCE_SECONDS)


def keep_dates(*, now: datetime) -> None:
    """Queue the standing orders that are due; end what has cooled off, of payees and of limits."""
    queue_standing_orders(now=now)
    keep_cooling(now=now)
    apply_due_raises(now=now)


def keep_up(*, node: str, now: datetime) -> None:
    """Move a node's heartbeat on, tidy expired holds, fold summed accounts, add partitions."""
    fetch_one("beat", {"node": node}, node)
    fetch_one("expire_holds", {}, node)
    fetch_one("fold", {}, node)
    add_partitions(now=now, using=node)
    stray = fetch_one("rows_in_default", {}, node)[0]
    if stray:
        _log.error("journal_rows_in_default_partition", rows=stray, node=node)


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
