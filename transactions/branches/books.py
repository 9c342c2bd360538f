"""The books of the whole bank: each node's own, what nodes say of each other, and the replica's."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from django.db import DatabaseError, connections

from core.db.aliases import HEAD_OFFICE, REPLICA
from core.db.sql import queries
from core.errors import DomainError
from transactions.branches.agreement import check_copies
from transactions.branches.directory import connect
from transactions.branches.position import QUERIES, Snapshots, cut, owed_between
from transactions.branches.registry import nodes
from transactions.ledger.invariants import BooksReport, Finding, check_books

# A copy may be forgotten and taken anew, so its history is not guarded; what accounts earn each day
# is not copied.
NOT_OF_A_COPY: Final = frozenset({"history_is_guarded", "interest_is_what_was_earned"})
# How long transfers that were recorded before the comparison may take to arrive on both sides.
PATIENCE_SECONDS: Final = 15.0
MOST_FINDINGS: Final = 100

_SQL: Final = Path(__file__).parent / "sql"
_LEDGER: Final = queries(_SQL / "books.sql")
_PEOPLE: Final = queries(_SQL / "people_books.sql")

__all__ = [
    "NOT_OF_A_COPY",
    "BankReport",
    "Finding",
    "also_check",
    "check_bank",
    "compare_nodes",
]

Place = tuple[str, int | None]
"""Where rows belong: to an account or a person, by its number."""
Digest = dict[Place, tuple[int, Any]]
Check = Callable[[], Sequence[Finding]]

_checks: Final[list[Check]] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class BankReport:
    """What was found on each node, between the nodes, and on the replica, if there is one."""

    nodes: list[BooksReport]
    between: list[Finding]
    replica: BooksReport | None

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing was found anywhere."""
        reports = [*self.nodes, *([self.replica] if self.replica else [])]
        return not self.between and not any(report.findings for report in reports)


def also_check(check: Check) -> None:
    """Have what an app above keeps compared with the ledgers, too."""
    _checks.append(check)


def check_bank(*, now: datetime) -> BankReport:
    """Prove the books of all nodes, that they agree with each other, and the replica with them."""
    found = [_check_node(node) for node in nodes()]
    return BankReport(
        nodes=found,
        between=[*(compare_nodes() if len(found) > 1 else []), *_check_copies(), *_check_above()],
        replica=_check_replica(now) if REPLICA in connections else None,
    )


def _check_node(node: str) -> BooksReport:
    try:
        return check_books(using=node)
    except (DatabaseError, psycopg.Error) as error:
        return _unread(node, error)


def _unread(node: str, error: Exception) -> BooksReport:
    finding = Finding("node_answers", None, " ".join(str(error).split()))
    return BooksReport(node=node, accounts=0, transfers=0, findings=[finding])


def compare_nodes() -> list[Finding]:
    """Compare the nodes at one point between two transfers, when nothing is on its way.

    Transfers between nodes wait for a moment. Up to 100 of them are named that are at one end only.
    """
    try:
        with cut() as snapshots:
            return [*_unequal_pairs(snapshots), *_lonely_halves(snapshots)]
    except DomainError as error:
        return [Finding("nodes_can_be_compared", None, error.message)]


def _unequal_pairs(snapshots: Snapshots) -> list[Finding]:
    return [
        Finding("clearing_pairs_match", None, f"{one} and {other}: {minor} {currency} between them")
        for (one, other), owed in owed_between(snapshots).items()
        for currency, minor in owed.items()
        if minor
    ]


def _lonely_halves(snapshots: Snapshots) -> list[Finding]:
    """Return the transfers that are at one of their two nodes only."""
    sent: set[tuple[UUID, int, str, str]] = set()
    received: set[tuple[UUID, int, str, str]] = set()
    for node, snapshot in snapshots.items():
        for crossing, attempt, destination in snapshot.execute(QUERIES["decided"]):
            sent.add((crossing, attempt, node, destination))
        for crossing, attempt, source in snapshot.execute(QUERIES["arrived"]):
            received.add((crossing, attempt, source, node))
    lost = [("decided and not arrived", half) for half in sorted(sent - received)]
    made = [("arrived and not decided", half) for half in sorted(received - sent)]
    return [
        Finding("transfers_have_both_halves", None, f"{half[0]}, {half[2]} to {half[3]}: {what}")
        for what, half in [*lost, *made][:MOST_FINDINGS]
    ]


def _check_copies() -> list[Finding]:
    """Compare what head office and branches say of customers' accounts."""
    try:
        return check_copies()[:MOST_FINDINGS]
    except (DatabaseError, psycopg.Error, DomainError) as error:
        return [Finding("accounts_can_be_compared", None, " ".join(str(error).split()))]


def _check_above() -> list[Finding]:
    """Run the checks of apps above."""
    try:
        return [finding for check in _checks for finding in check()][:MOST_FINDINGS]
    except (DatabaseError, psycopg.Error, DomainError) as error:
        return [Finding("apps_can_be_compared", None, " ".join(str(error).split()))]


def _check_replica(now: datetime) -> BooksReport:
    """Check the replica's own books, and that it has each node's rows and no others."""
    try:
        own = check_books(using=REPLICA, without=NOT_OF_A_COPY)
        differing = [finding for node in nodes() for finding in _differences(node, now)]
    except (DatabaseError, psycopg.Error) as error:
        return _unread(REPLICA, error)
    return BooksReport(
        node=REPLICA,
        accounts=own.accounts,
        transfers=own.transfers,
        findings=[*own.findings, *differing],
    )


def _differences(node: str, before: datetime) -> list[Finding]:
    """Return where a node and its copy differ at every look until all under way has arrived.

    What changes meanwhile is ahead of its copy for a moment: at one look, not at each.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    tables = {**_LEDGER, **(_PEOPLE if node == HEAD_OFFICE else {})}
    with connect(node) as primary, connect(REPLICA) as copy:

        def look(table: str) -> dict[Place, str]:
            return _differing(tables[table], node, before, primary, copy)

        found = {table: look(table) for table in tables}
        while any(found.values()) and time.monotonic() < deadline:
            time.sleep(0.5)
            found = {table: _still(last, look(table)) for table, last in found.items() if last}
    return [
        _finding(table, place, f"{node}: {detail}")
        for table, differing in found.items()
        for place, detail in list(differing.items())[:MOST_FINDINGS]
    ]


def _still(last: dict[Place, str], found: dict[Place, str]) -> dict[Place, str]:
    return {place: detail for place, detail in found.items() if place in last}


def _finding(table: str, place: Place, detail: str) -> Finding:
    what, number = place
    check = f"copy_has_the_same_{table}"
    if what == "account" or number is None:
        return Finding(check, number, detail)
    return Finding(check, None, f"{detail}, of {what} {number}")


def _differing(
    query: str, node: str, before: datetime, primary: psycopg.Connection, copy: psycopg.Connection
) -> dict[Place, str]:
    there = _digest(primary, query.format(of_node="true"), node, before)
    here = _digest(copy, query.format(of_node="node = %(node)s"), node, before)
    return {
        place: f"{_rows(there, place)} rows, the copy has {_rows(here, place)}"
        for place in sorted({*there, *here}, key=lambda place: place[1] or 0)
        if there.get(place) != here.get(place)
    }


def _digest(connection: psycopg.Connection, query: str, node: str, before: datetime) -> Digest:
    rows = connection.execute(query, {"node": node, "before": before})
    what, *_others = [column.name for column in rows.description or ()]
    return {(what, number): (count, digest) for number, count, digest in rows}


def _rows(digest: Digest, place: Place) -> int:
    return digest.get(place, (0, None))[0]
