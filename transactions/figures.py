"""What the nodes' books add up to just now: balances by kind of account, and what was moved.

Each node is read by itself, at one instant of its own, and all at once: one that is silent costs
two seconds and its own figures. Its books are balanced at every instant; what is between two nodes
is exact only at a ``cut`` through all of them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg

from core.db.sql import queries
from core.money import Money
from transactions.branches.directory import connect
from transactions.branches.position import QUERIES, Sum
from transactions.branches.registry import branch_number_of, nodes
from transactions.ledger.accounts import Purpose

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "figures.sql")
# Nobody waits longer for a page of figures.
_PATIENCE_MS: Final = 4_000


@dataclass(frozen=True, slots=True)
class Volume:
    """How many transfers in a currency, and how much, today and this month."""

    of_day: int
    amount_of_day: Money
    of_month: int
    amount_of_month: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFigures:
    """What one node's books add up to; ``sums`` is None when it does not answer.

    ``volumes`` is None, too, when counting would have taken too long. ``owed`` is what it owes each
    other node, by currency; negative: is owed.
    """

    node: str
    sums: Sequence[Sum] | None = None
    volumes: Sequence[Volume] | None = None
    owed: Sequence[tuple[str, Money]] = ()

    @property
    def is_up(self) -> bool:
        """Tell whether the node answers."""
        return self.sums is not None

    @property
    def imbalance(self) -> dict[str, int]:
        """Return what is wrong between debits and credits, by currency: nothing, ever."""
        found: Counter[str] = Counter()
        for one in self.sums or ():
            found[one.currency] += one.side * one.balance
        return {currency: minor for currency, minor in found.items() if minor}

    @property
    def customers(self) -> list[Money]:
        """Return what customers have here, by currency."""
        return [
            Money(one.balance, one.currency)
            for one in self.sums or ()
            if one.purpose == Purpose.CUSTOMER
        ]


def figures_of_nodes(*, day: datetime, month: datetime) -> list[NodeFigures]:
    """Return the figures of all nodes, with volumes since a day and a month of the bank began."""
    numbers = {branch_number_of(node): node for node in nodes()}
    asked = {"day": day, "month": month}
    with ThreadPoolExecutor(len(nodes())) as several:
        return list(several.map(lambda node: _figures(node, numbers, asked), nodes()))


def total_volumes(found: Sequence[NodeFigures]) -> list[Volume]:
    """Return the volumes of all nodes that tell theirs, by currency."""
    counted: dict[str, Counter[str]] = {}
    for one in [volume for figures in found for volume in figures.volumes or ()]:
        counted.setdefault(one.amount_of_month.currency, Counter()).update(
            of_day=one.of_day,
            minor_of_day=one.amount_of_day.minor,
            of_month=one.of_month,
            minor_of_month=one.amount_of_month.minor,
        )
    return [_volume(currency, **counts) for currency, counts in sorted(counted.items())]


def _figures(node: str, numbers: dict[int, str], asked: dict[str, Any]) -> NodeFigures:
    try:
        with connect(node) as connection:
            connection.execute(f"SET statement_timeout = {_PATIENCE_MS}")
            rows = connection.execute(QUERIES["sums"]).fetchall()
            owed = connection.execute(QUERIES["owed"]).fetchall()
            volumes = _if_in_time(lambda: connection.execute(_QUERIES["volumes"], asked).fetchall())
    except psycopg.Error:
        return NodeFigures(node=node)
    return NodeFigures(
        node=node,
        sums=[
            Sum(
                node=node,
                currency=currency,
                purpose=purpose,
                side=side,
                accounts=accounts,
                balance=balance,
            )
            for currency, purpose, side, accounts, balance in rows
        ],
        volumes=None if volumes is None else [_volume(*row) for row in volumes],
        owed=[
            (numbers.get(number, str(number)), Money(balance, currency))
            for number, currency, balance in owed
        ],
    )


def _if_in_time(read: Callable[[], Any]) -> Any:
    """Return what is read; None when it takes too long."""
    try:
        return read()
    except psycopg.errors.QueryCanceled:
        return None


def _volume(
    currency: str, of_day: int, minor_of_day: int, of_month: int, minor_of_month: int
) -> Volume:
    return Volume(
        of_day=of_day,
        amount_of_day=Money(int(minor_of_day), currency),
        of_month=of_month,
        amount_of_month=Money(int(minor_of_month), currency),
    )
