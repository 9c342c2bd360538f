"""What the ledger needs from time to time; money never waits for it. `manage.py watch` runs it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import date, datetime
from math import inf
from time import monotonic
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
from transactions.card_payments.ending import end_expired_payments
from transactions.closing.days import close_missed_days
from transactions.events import feed_events
from transactions.fraud.partitions import add_alert_partitions
from transactions.ledger.connection import fetch_all, fetch_one
from transactions.limits.changing import apply_due_raises
from transactions.payments.cooling import keep_cooling
from transactions.payments.due_dates import queue_standing_orders
from transactions.payments.scheduling import send_due_transfers
from transactions.welcome import open_waiting_accounts

MONTHS_AHEAD: Final = 12
PATIENCE_SECONDS: Final = 2.0
# A fold after a long import reads millions of rows; what takes longer has fallen silent.
LONGEST_SECONDS: Final = 60.0
# Each look at the copies opens connections of its own, which costs more than all else here.
ALARM_SECONDS: Final = 10.0
# A day that a silent branch keeps from being closed is tried again this often.
CLOSING_SECONDS: Final = 10.0
_log = structlog.get_logger(__name__)


class Worker:
    """A thread for one kind of work on one node, with its own connections.

    Between two beginnings it rests for at least so many seconds.
    """

    def __init__(self, job: Callable[..., Any], *, rest_seconds: float = 0.0) -> None:
        self._job = job
        self._rest_seconds = rest_seconds
        self._thread = ThreadPoolExecutor(1)
        self._under_way: Future[Any] | None = None
        self._rests_until = -inf

    def begin(self, **arguments: Any) -> Future[Any]:
        """Begin the work, unless it is under way still or rests; return what was begun last."""
        if self._under_way is None or (self._under_way.done() and monotonic() > self._rests_until):
            self._rests_until = monotonic() + self._rest_seconds
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


_workers: Final[dict[tuple[Callable[..., Any], str], Worker]] = {}


def run_upkeep(*, now: datetime) -> None:
    """Settle what is in doubt, copy what changed, keep every node up, send what is due, close days.

    Each part is short and safe to repeat; run it every second, from as many processes as like. A
    part that hangs, because its node does, keeps no other waiting.
    """
    begun = []
    for node in nodes():
        begun += [
            _begin(sweep_node, node=node),
            _begin(keep_up, node=node, now=now),
            _begin(copy_changes, node=node),
            _begin(spread_moves, node=node),
            _begin(feed_events, node=node, now=now),
        ]
    _begin(sound_alarms, rest_seconds=ALARM_SECONDS)
    _begin(send_due_transfers, now=now)
    _begin(keep_dates, now=now)
    _begin(close_missed_days, rest_seconds=CLOSING_SECONDS, now=now)
    _begin(carry_out_left_over)
    _begin(open_waiting_accounts, now=now)
    wait(begun, timeout=PATIENCE_SECONDS)


def _begin(job: Callable[..., Any], *, rest_seconds: float = 0.0, **arguments: Any) -> Future[Any]:
    place = (job, arguments.get("node", HEAD_OFFICE))
    if place not in _workers:
        _workers[place] = Worker(job, rest_seconds=rest_seconds)
    return _workers[place].begin(**arguments)


def keep_dates(*, now: datetime) -> None:
    """Queue the standing orders that are due; end what has cooled off, and what cards set aside."""
    queue_standing_orders(now=now)
    keep_cooling(now=now)
    apply_due_raises(now=now)
    end_expired_payments(now=now)


def keep_up(*, node: str, now: datetime) -> None:
    """Move a node's heartbeat on, tidy expired holds, fold summed accounts, add partitions."""
    fetch_one("beat", {"node": node}, node)
    fetch_one("expire_holds", {}, node)
    fetch_one("fold", {}, node)
    add_partitions(now=now, using=node)
    if node == HEAD_OFFICE:
        add_alert_partitions(first=now.date().replace(day=1), ahead=MONTHS_AHEAD)
    stray = fetch_one("rows_in_default", {}, node)[0]
    if stray:
        _log.error("journal_rows_in_default_partition", rows=stray, node=node)


def add_partitions(*, now: datetime, using: str = "default") -> int:
    """Make the journal's partitions a year ahead and return how many were added.

    A posting that is prepared or slow may be in the way: then the next call does it.
    """
    added = 0
    for month in _months_without_partition(now, using):
        try:
            added += bool(fetch_one("add_partition", {"month": month}, using)[0])
        except Busy:
            _log.warning("journal_partition_postponed", month=month.isoformat(), node=using)
            break
        except CheckViolation:
            # Transfers of the month are in DEFAULT already: the alarm's business, and the owner's.
            _log.error("journal_partition_impossible", month=month.isoformat(), node=using)
    return added


def _months_without_partition(now: datetime, using: str) -> list[date]:
    months = {"first": now.date().replace(day=1), "ahead": MONTHS_AHEAD}
    return [month for (month,) in fetch_all("months_without_partition", months, using)]
