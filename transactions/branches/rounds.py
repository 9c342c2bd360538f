"""Rounds over what is to be done at branches: one that is silent keeps no other waiting."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from transactions.branches.registry import node_of

Row = TypeVar("Row")


def reachable(
    rows: Iterable[Row],
    *,
    accounts: Callable[[Row], Collection[int]],
    silent: Collection[str],
    most: int,
) -> Iterator[Row]:
    """Yield up to ``most`` of the rows whose accounts live on no node that is ``silent``.

    The caller adds to ``silent`` as it goes, and comes back for the others with the next round.
    """
    tried = 0
    for row in rows:
        if tried == most:
            return
        if {node_of(number) for number in accounts(row)}.isdisjoint(silent):
            tried += 1
            yield row
