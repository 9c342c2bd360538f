"""Whether what happens between nodes goes on: two-phase commit, the watch, the replica."""

from datetime import datetime
from typing import Final

from bankproject.doctor.findings import Findings, danger, warning
from core.clock import now
from core.db.aliases import REPLICA
from transactions.branches.alarms import alarms_of_copies, alarms_of_transit
from transactions.branches.health import Health, look_at_nodes
from transactions.branches.registry import nodes
from transactions.branches.replica import is_configured

# The sweeper settles within seconds of a heal, and sweeps each second.
LONGEST_SECONDS: Final = 60
NEARLY_FULL: Final = 0.8
# What the reader's page of a lagging copy says itself; a copy that is lost does not come back.
_LOST: Final = frozenset({"replica_lost_its_place", "replica_stands", "replica_has_no_copy"})


def two_phase_commit() -> Findings:
    """Tell what is in doubt for too long, whether somebody settles it, and what is stranded."""
    at = now()
    for node in look_at_nodes():
        if node.is_up and node.node != REPLICA:
            yield from unsettled(node)
            yield from unwatched(node, at=at)
    for alarm in alarms_of_transit():
        sentence = f"{alarm.event}: {alarm.detail} (docs/howto/runbooks.md, MoneyStranded)"
        yield danger(alarm.node, sentence)


def unsettled(node: Health) -> Findings:
    """Tell of prepared transactions of a node that nobody ends, and of slots that run out."""
    if (node.oldest_prepared_seconds or 0) > LONGEST_SECONDS:
        sentence = f"has a transaction prepared for {node.oldest_prepared_seconds:.0f} seconds"
        yield danger(node.node, f"{sentence}: it holds its accounts locked until its nodes are up")
    used, most = node.prepared_slots_used or 0, node.prepared_slots_max or 0
    if most and used > NEARLY_FULL * most:
        yield warning(node.node, f"uses {used} of {most} slots (max_prepared_transactions)")


def unwatched(node: Health, *, at: datetime) -> Findings:
    """Tell of a node that `manage.py watch` does not look after."""
    if node.swept_at is None:
        yield danger(node.node, "was never swept: run manage.py watch beside the bank")
    elif (at - node.swept_at).total_seconds() > LONGEST_SECONDS:
        sentence = f"was swept at {node.swept_at:%Y-%m-%d %H:%M} UTC last: manage.py watch is away"
        yield danger(node.node, sentence)


def replica() -> Findings:
    """Tell what keeps copies from being fresh, and of branches that nobody copies."""
    if not is_configured():
        if len(nodes()) > 1:
            sentence = "is not set: employees' pages and reports ask each branch itself"
            yield warning("REPLICA_DATABASE_URL", sentence)
        return
    for alarm in alarms_of_copies():
        say = danger if alarm.event in _LOST else warning
        yield say(alarm.node, f"{alarm.event}: {alarm.detail} (docs/howto/replica.md)")
