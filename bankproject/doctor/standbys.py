"""Whether each node's standbys could take over, and none has done so beside the node's primary."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from django.db import connections
from psycopg.rows import namedtuple_row

from bankproject.doctor.findings import Findings, danger, warning
from bankproject.doctor.nodes import clocks
from bankproject.failover import Member, members_of
from core.db.aliases import find_all, primaries
from core.db.sql import queries

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "standbys.sql")
_CONNECT_SECONDS: Final = 2


def standbys() -> Findings:
    """Look at every server of each node that has several."""
    find_all()
    for alias in primaries():
        members = members_of(alias)
        if len(members) > 1:
            yield from _look_at(alias, members)


def _look_at(alias: str, members: list[Member]) -> Findings:
    standing = {}
    for member in members:
        try:
            before = datetime.now(UTC)
            standing[member] = ask(alias, member)
            after = datetime.now(UTC)
        except psycopg.Error as error:
            reason = " ".join(str(error).split())
            yield warning(alias, f"could not fail over to {member.place}, which is away: {reason}")
        else:
            apart = standing[member].now - (before + (after - before) / 2)
            yield from clocks(f"{alias} at {member.place}", apart)
    yield from compare(alias, standing)


def ask(alias: str, member: Member) -> Any:
    """Ask one server of a node how it stands, whether it takes writes or not.

    Raises:
        psycopg.Error: it does not answer.
    """
    parameters = {
        **connections[alias].get_connection_params(),
        "host": member.host,
        "port": member.port,
        "target_session_attrs": "any",
        "connect_timeout": _CONNECT_SECONDS,
        "cursor_factory": psycopg.Cursor,
    }
    with psycopg.connect(**parameters, row_factory=namedtuple_row) as server:
        return server.execute(_QUERIES["standing"]).fetchone()


def compare(alias: str, standing: dict[Member, Any]) -> Findings:
    """Tell what is wrong with a node's servers together."""
    leaders = [member for member, found in standing.items() if not found.is_standby]
    if len(leaders) > 1:
        places = " and ".join(leader.place for leader in leaders)
        sentence = f"has two servers that take writes, {places}: stop the one Patroni does not lead"
        yield danger(alias, sentence)
    elif not leaders:
        yield danger(alias, "has no server that takes writes (docs/howto/failover.md)")
    for leader in leaders[:1]:
        if not standing[leader].waits:
            sentence = "answers before a standby has it: what it answers goes with its disk"
            yield warning(alias, sentence)
        for member, found in standing.items():
            if found.cluster != standing[leader].cluster:
                sentence = f"could not fail over to {member.place}, a server of another cluster"
                yield danger(alias, sentence)
            else:
                yield from _lost_places(alias, member, standing[leader], found)


def _lost_places(alias: str, member: Member, leader: Any, found: Any) -> Findings:
    """Tell who would not go on at a standby where the primary left them."""
    if not set(leader.slots) <= set(found.slots):
        yield warning(alias, f"would lose the replica's place if {member.place} took over")
    if leader.is_backed_up and not found.is_backed_up:
        sentence = f"would begin its backups anew if {member.place} took over (patronictl, slots)"
        yield warning(alias, sentence)
