"""The position of the bank while money moves: one exact cut through all nodes.

Transfers between nodes are held back for a moment: each holds a shared lock on its source until it
is decided there, and a cut takes that lock alone on every node. What is decided and not yet settled
is settled. Then each node's snapshot is taken, and the transfers go on; the adding up comes later,
on the snapshots. So no transfer is seen at one of its ends only.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import psycopg
from psycopg import errors

from core.db.patience import breaking_after
from core.db.sql import queries
from core.errors import DomainError
from transactions.branches.directory import connect
from transactions.branches.outcomes import BranchDown
from transactions.branches.recovery import refuse_unlasting, settle_decided
from transactions.branches.registry import branch_number_of, nodes

# Less than a transfer is patient; so is whoever cuts.
WAIT_SECONDS: Final = 2.0
HOLD_BACK_SECONDS: Final = 8.0

QUERIES: Final = queries(Path(__file__).parent / "sql" / "position.sql")
CUSTOMERS: Final = frozenset({"customer"})

Snapshots = Mapping[str, psycopg.Connection]
Pair = tuple[str, str]
"""Two nodes, in the order of their names."""


class PositionNotTaken(DomainError):
    """Transfers between nodes did not come to rest in time; nothing was changed."""

    code = "position_not_taken"
    http_status = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """What all accounts of a purpose hold on a node; minor units."""

    node: str
    currency: str
    purpose: str
    side: int
    accounts: int
    balance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What the bank holds at one point between two transfers; minor units by currency."""

    taken_at: datetime
    sums: list[Sum]
    customers: dict[str, int]
    in_transit: dict[str, int]
    imbalance: dict[str, int]

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is in transit and both sides of every node's books are equal."""
        return not any(self.in_transit.values()) and not any(self.imbalance.values())


def take_position(*, now: datetime) -> Position:
    """Return the position of the bank over all nodes.

    Raises:
        BranchDown: a node does not answer.
        PositionNotTaken: transfers were under way all the time; it may be tried again.
        OutcomeUnknown: a node's standbys do not tell that they have what was added up.
    """
    with cut() as snapshots:
        sums = [found for node, snapshot in snapshots.items() for found in _sums(node, snapshot)]
        in_transit: Counter[str] = Counter()
        for owed in owed_between(snapshots).values():
            in_transit.update(owed)
    for node in nodes():
        refuse_unlasting(node)
    customers: Counter[str] = Counter()
    imbalance: Counter[str] = Counter()
    for found in sums:
        imbalance[found.currency] += found.side * found.balance
        customers[found.currency] += found.balance if found.purpose in CUSTOMERS else 0
    return Position(
        taken_at=now,
        sums=sums,
        customers=dict(customers),
        in_transit={currency: in_transit[currency] for currency in customers},
        imbalance=dict(imbalance),
    )


@contextmanager
def cut() -> Iterator[Snapshots]:
    """Yield a connection to each node, all with snapshots of the same point between transfers.

    Transfers go on meanwhile: they are held back only until the snapshots are taken.

    Raises:
        BranchDown, PositionNotTaken
    """
    with ExitStack() as stack:
        connections = {node: stack.enter_context(_line(node)) for node in sorted(nodes())}
        with ExitStack() as deadlines:
            # A node that falls silent now must not hold back the transfers of all.
            for connection in connections.values():
                deadlines.enter_context(breaking_after(connection, HOLD_BACK_SECONDS))
            _take_snapshots(list(connections.values()))
        yield connections


def _take_snapshots(connections: Sequence[psycopg.Connection]) -> None:
    """Hold transfers back on all nodes, settle what is decided, and look at all of them."""
    for connection in connections:
        hold_back(connection, wait=WAIT_SECONDS, longest=HOLD_BACK_SECONDS)
    _settle(time.monotonic() + WAIT_SECONDS)
    for connection in connections:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SELECT 1")
    for connection in connections:
        connection.execute(QUERIES["let_transfers_go_on"])


def owed_between(snapshots: Snapshots) -> dict[Pair, Counter[str]]:
    """Return what each two nodes' clearing accounts with each other add up to, by currency.

    Zero where nothing is on its way between the two.
    """
    found: dict[Pair, Counter[str]] = {}
    for node, snapshot in snapshots.items():
        for pair, currency, balance in owed_by(node, snapshot):
            found.setdefault(pair, Counter())[currency] += balance
    return found


def owed_by(node: str, connection: psycopg.Connection) -> Iterator[tuple[Pair, str, int]]:
    """Yield what a node owes each other one, by currency: the pair, and below 0 if it is owed."""
    by_number = {branch_number_of(other): other for other in nodes()}
    for number, currency, balance in connection.execute(QUERIES["owed"]):
        yield pair_of(node, by_number.get(number, str(number))), currency, balance


def pair_of(node: str, other: str) -> Pair:
    """Return two nodes as what is between them is kept."""
    return (node, other) if node < other else (other, node)


@contextmanager
def _line(node: str) -> Iterator[psycopg.Connection]:
    try:
        connection = connect(node)
    except psycopg.OperationalError as error:
        raise BranchDown(node) from error
    try:
        yield connection
    except psycopg.OperationalError as error:
        raise BranchDown(node) from error
    finally:
        connection.close()


def hold_back(connection: psycopg.Connection, *, wait: float, longest: float) -> None:
    """Let no transfer to another node be decided on a node until the connection lets go, or ends.

    ``wait`` is for those that are being decided, ``longest`` how long whoever asks may fall silent.

    Raises:
        PositionNotTaken: they were under way all the time.
    """
    # The lock is the session's: one that stops here must not keep it.
    connection.execute(f"SET lock_timeout = '{wait}s'; SET idle_session_timeout = '{longest}s'")
    try:
        connection.execute(QUERIES["hold_back_transfers"])
    except errors.LockNotAvailable as error:
        message = "Transfers between branches were under way all the time; please try again."
        raise PositionNotTaken(message) from error


def _settle(deadline: float) -> None:
    """Commit at its destination what is decided; what is not cannot be while transfers wait."""
    while any(settle_decided(node=node) for node in nodes()):
        if time.monotonic() > deadline:
            message = "A transfer between branches could not be settled; please try again."
            raise PositionNotTaken(message)
        time.sleep(0.02)


def _sums(node: str, snapshot: psycopg.Connection) -> list[Sum]:
    return [
        Sum(
            node=node,
            currency=currency,
            purpose=purpose,
            side=side,
            accounts=accounts,
            balance=balance,
        )
        for currency, purpose, side, accounts, balance in snapshot.execute(QUERIES["sums"])
    ]
