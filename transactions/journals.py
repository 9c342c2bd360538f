"""How the nodes' journals stand: how much is posted, and whether what listens keeps up."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row

from core.db.sql import queries
from transactions.branches import registry
from transactions.branches.belonging import code_of
from transactions.branches.directory import connect

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "journals.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """The journal of one node.

    ``postings`` counts its rows since the server's statistics began, ``untold_seconds`` is the age
    of the oldest that notices and webhooks have not been told of.
    """

    code: str
    postings: int
    untold_seconds: float


def look_at_journals() -> list[JournalState]:
    """Ask every node; one that is down is not there."""
    found = []
    for node in registry.nodes():
        try:
            with connect(node) as connection:
                asked = connection.cursor(row_factory=namedtuple_row).execute(_QUERIES["journal"])
                row: Any = asked.fetchone()
        except psycopg.Error:
            continue
        seconds = max(row.untold_seconds, 0.0)
        found.append(
            JournalState(code=code_of(node), postings=row.postings, untold_seconds=seconds)
        )
    return found
