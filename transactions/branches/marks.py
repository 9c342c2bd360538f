"""Marks: restore points on all nodes, of one cut between transfers.

While a mark is set no transfer between nodes can be decided: each holds a shared lock on its source
until it is. So whatever is decided before the mark at its source is prepared before it at its
destination, and whatever is committed there was decided here. Nodes that are all restored to one
mark agree, once what is prepared has been settled; what was not decided comes to nothing.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import psycopg

from core.db.patience import breaking_after
from core.db.sql import queries
from transactions.branches.position import QUERIES as BARRIER
from transactions.branches.position import hold_back

# Transfers wait meanwhile: who cannot have the lock soon tries again later.
WAIT_SECONDS: Final = 0.25
HOLD_BACK_SECONDS: Final = 2.0
_QUERIES: Final = queries(Path(__file__).parent / "sql" / "marks.sql")


class Place(NamedTuple):
    """A place in a node's log."""

    lsn: str
    timeline: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A restore point on each node, by alias.

    What was answered before ``began`` is in it, what was asked after ``ended`` is not.
    """

    began: datetime
    ended: datetime
    places: Mapping[str, Place]

    @property
    def name(self) -> str:
        """Return the name of its restore points."""
        return f"bank {self.began:%Y-%m-%dT%H:%M:%S.%fZ}"


def set_mark(lines: Mapping[str, psycopg.Connection], *, clock: Callable[[], datetime]) -> Mark:
    """Write one mark on all nodes, to each of which ``lines`` has a connection as bank_backup.

    Reads the clock before and after, and holds transfers between nodes back meanwhile. After an
    error close the lines: a lock goes with the connection that holds it.

    Raises:
        PositionNotTaken: transfers were under way all the time.
        psycopg.OperationalError: a node does not answer; the mark is on some nodes only, or none.
    """
    began = clock()
    name = Mark(began=began, ended=began, places={}).name
    with ExitStack() as stack:
        for line in lines.values():
            # A node that falls silent now must not hold back the transfers of all.
            stack.enter_context(breaking_after(line, HOLD_BACK_SECONDS))
        for node in sorted(lines):
            hold_back(lines[node], wait=WAIT_SECONDS, longest=HOLD_BACK_SECONDS)
        places = _write(name, lines)
        for line in lines.values():
            line.execute(BARRIER["let_transfers_go_on"])
            line.execute("RESET idle_session_timeout")
    return Mark(began=began, ended=clock(), places=places)


def _write(name: str, lines: Mapping[str, psycopg.Connection]) -> Mapping[str, Place]:
    """Write the restore points, at once: what is copied between nodes is not held back."""

    def write(line: psycopg.Connection) -> Place:
        row = line.execute(_QUERIES["restore_point"], [name]).fetchone()
        return Place(*row) if row else Place("0/0", 0)

    with ThreadPoolExecutor(len(lines)) as several:
        return dict(zip(lines, several.map(write, lines.values()), strict=True))
