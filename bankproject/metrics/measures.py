"""What is measured: of the nodes, their journals, refusals, background work and the bank's days.

All is read when it is asked for, from where the truth is, so that it does not matter which web
worker answers. A part that cannot be read is left out and counted in ``bank_parts_unread``: the
others are told all the same.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Final

import psycopg
import structlog
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count, Min
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis import Redis, RedisError

from accounts.models import Account
from bankproject.backup.servers import folder
from bankproject.doctor.standbys import ask
from bankproject.failover import Member, members_of
from core import clock
from core.jobs.models import Job, JobState
from core.refusals import refusals_by_code
from notifications.messages.models import Message, MessageState
from notifications.webhooks.models import Delivery, DeliveryState, EndpointState
from transactions.branches import registry
from transactions.branches.belonging import code_of
from transactions.branches.health import Health, look_at_nodes
from transactions.branches.transit import money_in_transit
from transactions.closing.models import BankDay
from transactions.journals import look_at_journals

_BROKER_SECONDS: Final = 1.0
_OF_NODES: Final[dict[str, tuple[str, Callable[[Health], float | None]]]] = {
    "bank_node_up": ("Whether a node answers.", lambda node: float(node.is_up)),
    "bank_prepared_transactions": (
        "Prepared transactions of a node that wait to be settled.",
        lambda node: node.prepared,
    ),
    "bank_oldest_prepared_seconds": (
        "Age of a node's oldest prepared transaction.",
        lambda node: None if node.prepared is None else node.oldest_prepared_seconds or 0.0,
    ),
    "bank_prepared_slots_used": (
        "Slots for prepared transactions in use at a node's server.",
        lambda node: node.prepared_slots_used,
    ),
    "bank_prepared_slots_max": (
        "Slots for prepared transactions of a node's server.",
        lambda node: node.prepared_slots_max,
    ),
    "bank_replica_lag_seconds": (
        "How long ago the copy of a node on the replica last heard of it.",
        lambda node: node.lag_seconds,
    ),
    "bank_retained_wal_bytes": (
        "Log that a node's server keeps for its copies.",
        lambda node: node.retained_wal_bytes,
    ),
    "bank_backup_received": (
        "Whether a node's log is received as a backup, where the node keeps it for one.",
        lambda node: None if node.is_received is None else float(node.is_received),
    ),
    "bank_sweep_timestamp_seconds": (
        "When a node's transactions in doubt were last looked for.",
        lambda node: None if node.swept_at is None else node.swept_at.timestamp(),
    ),
}

_log = structlog.get_logger(__name__)


class Measures(Collector):
    """Yields what Prometheus is told."""

    def collect(self) -> Iterator[Metric]:
        """Read each part, and say how many could not be read."""
        unread = 0
        for part in _PARTS:
            try:
                yield from list(part())
            except (DatabaseError, psycopg.Error, RedisError, OSError) as error:
                unread += 1
                reason = " ".join(str(error).split())
                _log.warning("measure_not_read", part=part.__name__, reason=reason)
        yield _gauge("bank_parts_unread", "Parts of these measures that could not be read.", unread)


def _nodes() -> Iterator[Metric]:
    found = look_at_nodes()
    for name, (words, of) in _OF_NODES.items():
        family = GaugeMetricFamily(name, words, labels=["node"])
        for node in found:
            if (value := of(node)) is not None:
                family.add_metric([node.code], value)
        yield family


def _primaries() -> Iterator[Metric]:
    """Ask each server for itself: a Patroni that hangs says nothing of the one it should lead."""
    family = GaugeMetricFamily(
        "bank_node_primaries",
        "Servers of a node that take writes, where it has standbys.",
        labels=["node"],
    )
    for node in registry.nodes():
        members = members_of(node)
        if len(members) > 1:
            with ThreadPoolExecutor(len(members)) as several:
                leads = several.map(lambda member, node=node: _leads(node, member), members)
                family.add_metric([code_of(node)], sum(leads))
    yield family


def _leads(node: str, member: Member) -> bool:
    try:
        return not ask(node, member).is_standby
    except psycopg.Error:
        return False


def _marks() -> Iterator[Metric]:
    if settings.BACKUP_FOLDER is None:
        return
    last = folder().last_mark()
    yield _gauge(
        "bank_backup_mark_timestamp_seconds",
        "The last point to which all nodes can be restored, where the folder of backups is seen.",
        last.began.timestamp() if last else 0.0,
    )


def _transit() -> Iterator[Metric]:
    sums: Counter[tuple[str, str]] = Counter()
    for one in money_in_transit():
        sums[one.currency, "moving"] += abs(one.minor) if one.is_under_way else 0
        sums[one.currency, "stranded"] += abs(one.minor) if one.is_stranded else 0
    family = GaugeMetricFamily(
        "bank_in_transit_now_minor_units",
        "Money between branches now. Moving: transfers are under way. Stranded: nothing is prepared"
        " that would bring it; anything but 0 is a fault.",
        labels=["currency", "state"],
    )
    for labels, minor in sorted(sums.items()):
        family.add_metric(labels, float(minor))
    yield family


def _journals() -> Iterator[Metric]:
    postings = CounterMetricFamily(
        "bank_postings", "Rows of a node's journal since its statistics began.", labels=["node"]
    )
    untold = GaugeMetricFamily(
        "bank_untold_seconds",
        "Age of the oldest posting that notices and webhooks have not been told of.",
        labels=["node"],
    )
    for journal in look_at_journals():
        postings.add_metric([journal.code], journal.postings)
        untold.add_metric([journal.code], journal.untold_seconds)
    yield from (postings, untold)


def _refusals() -> Iterator[Metric]:
    family = CounterMetricFamily(
        "bank_refusals", "Requests of the API that were refused, by problem code.", labels=["code"]
    )
    for code, count in sorted(refusals_by_code().items()):
        family.add_metric([code], count)
    yield family


def _jobs() -> Iterator[Metric]:
    counted = Job.objects.values("state").annotate(count=Count("pk"), first=Min("next_attempt_at"))
    found = {line["state"]: line for line in counted}
    jobs = GaugeMetricFamily("bank_jobs", "Long jobs by state.", labels=["state"])
    for state in (JobState.QUEUED, JobState.RUNNING, JobState.DEAD):
        jobs.add_metric([state], found.get(state, {"count": 0})["count"])
    yield jobs
    due = found.get(JobState.QUEUED)
    late = 0.0 if due is None else (clock.now() - due["first"]).total_seconds()
    yield _gauge("bank_job_late_seconds", "How long the most overdue job waits.", max(late, 0.0))


def _queues() -> Iterator[Metric]:
    family = GaugeMetricFamily(
        "bank_queue_length", "Triggers of background work that wait.", labels=["queue"]
    )
    with Redis.from_url(
        settings.CELERY_BROKER_URL,
        socket_connect_timeout=_BROKER_SECONDS,
        socket_timeout=_BROKER_SECONDS,
    ) as broker:
        for queue in settings.CELERY_TASK_QUEUES:
            family.add_metric([queue.name], float(broker.llen(queue.name)))
    yield family


def _messages() -> Iterator[Metric]:
    waiting = Message.objects.filter(state=MessageState.WAITING).aggregate(
        count=Count("pk"), first=Min("created_at")
    )
    yield _gauge("bank_messages_waiting", "Mails and SMS that wait to be sent.", waiting["count"])
    first = waiting["first"]
    age = 0.0 if first is None else (clock.now() - first).total_seconds()
    yield _gauge("bank_oldest_message_seconds", "Age of the oldest of them.", max(age, 0.0))


def _deliveries() -> Iterator[Metric]:
    due = Delivery.objects.filter(
        state=DeliveryState.PENDING, endpoint__state=EndpointState.ENABLED
    ).aggregate(first=Min("next_attempt_at"))["first"]
    late = 0.0 if due is None else (clock.now() - due).total_seconds()
    words = "How long the most overdue delivery of a webhook waits."
    yield _gauge("bank_delivery_late_seconds", words, max(late, 0.0))


def _days() -> Iterator[Metric]:
    last = BankDay.objects.filter(closed_at__isnull=False).first()
    open_from = last.day + timedelta(days=1) if last else _first_day()
    if open_from is not None:
        yield _gauge(
            "bank_closed_until_timestamp_seconds",
            "The end of the last day that is closed; before there is one, when the bank began.",
            clock.start_of(open_from).timestamp(),
        )
    if last is None:
        return
    moneys = GaugeMetricFamily(
        "bank_in_transit_minor_units",
        "Money between branches when that day was closed; anything but 0 is a fault.",
        labels=["currency"],
    )
    for currency, minor in sorted((last.position or {}).get("in_transit", {}).items()):
        moneys.add_metric([currency], float(minor))
    yield moneys


def _first_day() -> date | None:
    """Return the day on which the first account was opened; None before that."""
    opened_at = Account.objects.aggregate(first=Min("opened_at"))["first"]
    return clock.bank_day(opened_at) if opened_at else None


_PARTS: Final = (
    *(_nodes, _primaries, _transit, _marks, _journals, _refusals),
    *(_jobs, _queues, _messages, _deliveries, _days),
)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
