"""What is wrong between nodes: money that nothing brings, and a copy of one that is not fresh.

A copy stands, lags, or holds its node's log back.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import structlog

from core.db.aliases import REPLICA
from core.db.reading import MOST_LAG_SECONDS
from core.db.sql import queries
from transactions.branches.directory import connect
from transactions.branches.registry import nodes
from transactions.branches.replica import is_configured
from transactions.branches.transit import money_in_transit

# Of what a server keeps for a slot at most; beyond all of it the copy is lost.
NEARLY_FULL: Final = 0.8

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "alarms.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong; ``node`` is the one that is copied, or two that money is between."""

    node: str
    event: str
    detail: str


def alarms() -> list[Alarm]:
    """Return what is wrong now between the nodes, and with their copies."""
    return [*alarms_of_transit(), *alarms_of_copies()]


def alarms_of_transit() -> list[Alarm]:
    """Return between which nodes money is, while nothing is prepared that would bring it."""
    try:
        found = money_in_transit()
    except psycopg.Error:
        # The node's own alarm.
        return []
    return [
        Alarm(" and ".join(one.pair), "money_stranded", f"{one.minor} {one.currency} minor units")
        for one in found
        if one.is_stranded
    ]


def alarms_of_copies() -> list[Alarm]:
    """Return what is wrong with the copies now; nothing where there is no replica."""
    if not is_configured():
        return []
    return [*_of_the_replica(), *(alarm for node in nodes() for alarm in _of_a_node(node))]


_found_before: Final[set[tuple[str, str]]] = set()
_sounding: Final[set[tuple[str, str]]] = set()


def sound_alarms() -> None:
    """Log an alarm as an error when it is found twice in a row, and when it is over.

    What is found once, as after a start or an interruption, mends itself.
    """
    found = {(alarm.node, alarm.event): alarm for alarm in alarms()}
    for place in (found.keys() & _found_before) - _sounding:
        _log.error(found[place].event, node=found[place].node, detail=found[place].detail)
        _sounding.add(place)
    for node, event in _sounding - found.keys():
        _log.info("alarm_over", node=node, alarm=event)
        _sounding.remove((node, event))
    _found_before.clear()
    _found_before.update(found)


def _of_the_replica() -> list[Alarm]:
    try:
        with connect(REPLICA) as replica:
            copies = {row[0]: row[1:] for row in replica.execute(_QUERIES["copies"])}
    except psycopg.Error as error:
        return [Alarm(REPLICA, "replica_is_down", " ".join(str(error).split()))]
    return [alarm for node in nodes() for alarm in _of_a_copy(node, copies.get(node))]


def _of_a_copy(node: str, copy: tuple[bool, bool, float | None, int] | None) -> list[Alarm]:
    if copy is None:
        return [Alarm(node, "replica_has_no_copy", "not subscribed")]
    is_whole, is_applying, lag, errors = copy
    if not is_applying:
        return [Alarm(node, "replica_stands", f"nothing is applied; {errors} errors so far")]
    if is_whole and (lag is None or lag > MOST_LAG_SECONDS):
        seconds = "never heard of" if lag is None else f"{lag:.0f} seconds behind"
        return [Alarm(node, "replica_lags", seconds)]
    return []


def _of_a_node(node: str) -> list[Alarm]:
    try:
        with connect(node) as primary:
            slots = primary.execute(_QUERIES["slots"]).fetchall()
    except psycopg.Error:
        # Its own alarm, and none of the replica's.
        return []
    found = []
    for slot, is_active, state, kept, most in slots:
        if state in {"lost", "unreserved"}:
            found.append(Alarm(node, "replica_lost_its_place", f"slot {slot} is {state}: resync"))
        elif most and kept > NEARLY_FULL * most:
            detail = f"slot {slot}: {kept} of {most} bytes"
            found.append(Alarm(node, "replica_holds_log_back", detail))
        if not is_active:
            found.append(Alarm(node, "replica_slot_inactive", f"slot {slot}: nobody reads it"))
    return found
