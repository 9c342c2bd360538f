"""One consistent position for a report: databases that show all of a time that is past."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
from django.utils.translation import gettext as _

from core.db.aliases import HEAD_OFFICE, REPLICA
from core.db.sql import queries
from core.errors import DomainError
from transactions.branches.directory import connect
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import nodes
from transactions.branches.replica import is_configured

# No posting takes longer from its instant to its commit.
LONGEST_POSTING: Final = timedelta(minutes=1)
_QUERIES: Final = queries(Path(__file__).parent / "sql" / "month.sql")
_SNAPSHOT: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PositionNotReached(DomainError):
    """The copies do not show all of a period yet; later they do."""

    code = "position_not_reached"
    http_status = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """Where to read: people in one database, the ledgers in one or several.

    ``as_of`` is an instant up to which all of them show everything.
    """

    people: psycopg.Connection
    ledgers: Sequence[psycopg.Connection]
    as_of: datetime

    @property
    def whole_until(self) -> datetime:
        """The instant before which nothing is recorded that they do not show."""
        return self.as_of - LONGEST_POSTING


@contextmanager
def one_position(*, until: datetime, now: datetime) -> Iterator[Snapshots]:
    """Yield databases that show all that was recorded before an instant: the replica, if any.

    Each is read at one instant of its own. What ends before ``until`` is the same in all of them.

    Raises:
        PositionNotReached: the copies are not that far, or the instant is not past for long enough.
        BranchDown: the replica, or without one a node, does not answer.
    """
    with ExitStack() as stack:
        if is_configured():
            replica = stack.enter_context(_snapshot(REPLICA))
            found = Snapshots(people=replica, ledgers=[replica], as_of=_heard(replica))
        else:
            lines = {node: stack.enter_context(_snapshot(node)) for node in sorted(nodes())}
            found = Snapshots(people=lines[HEAD_OFFICE], ledgers=list(lines.values()), as_of=now)
        if found.as_of < until + LONGEST_POSTING:
            raise PositionNotReached(_("The bank's copies do not show all of this period yet."))
        yield found


def _heard(replica: psycopg.Connection) -> datetime:
    row = replica.execute(_QUERIES["heard"], {"nodes": sorted(nodes())}).fetchone()
    if row is None or row[0] is None:
        raise PositionNotReached(_("The bank's copy of its nodes is not whole."))
    heard: datetime = row[0]
    return heard


@contextmanager
def _snapshot(alias: str) -> Iterator[psycopg.Connection]:
    try:
        with connect(alias) as connection:
            connection.execute(_SNAPSHOT)
            # The snapshot is that of the first statement.
            connection.execute("SELECT 1")
            yield connection
    except psycopg.OperationalError as error:
        raise BranchDown(alias) from error
