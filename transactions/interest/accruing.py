"""What accounts earn for a day: one statement for each node.

An account earns where it was at the day's end, by what was recorded until then. So one that has
moved meanwhile earns on one node, and what it earned stays there until interest is posted.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from core.clock import start_of
from transactions.branches import registry
from transactions.branches.agreement import copy_changes
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import has_moved, node_of, nodes
from transactions.closing.outcome import Outcome
from transactions.ledger.accruals import accrue, handed_over, wait_for_postings
from transactions.products.terms import rates_on


def accrue_interest(day: date) -> Outcome:
    """Keep what accounts earn for a day that is over; once for each, however often it is called.

    Raises:
        BranchDown, OutcomeUnknown: a node does not answer; what others keep stays.
        Refused: the day is not over.
        Busy: a posting of that day is still under way.
    """
    until = start_of(day + timedelta(days=1))
    for node in nodes():
        with silence_named(node):
            wait_for_postings(until, using=node)
            copy_changes(node=node)
    registry.refresh()
    late = _moves(start_of(day), until)
    rates = rates_on(day)
    earned = 0
    for node in nodes():
        here = {number: rate for number, rate in rates.items() if _may_be_on(node, number)}
        with silence_named(node):
            earned += accrue(day, until=until, rates=here, late=late.get(node, ()), using=node)
    return Outcome(earned)


def _moves(since: datetime, until: datetime) -> Mapping[str, Sequence[UUID]]:
    """Return the moves that began in a span of time, by the node they led to."""
    found: dict[str, list[UUID]] = defaultdict(list)
    for node in nodes():
        with silence_named(node):
            for move, destination in handed_over(since=since, until=until, using=node):
                found[destination].append(move)
    return found


def _may_be_on(node: str, number: int) -> bool:
    return node_of(number) == node or has_moved(number)
