"""Rounds over what is to be done at branches: one that is silent keeps no other waiting."""

from collections.abc import Callable, Collection, Iterator
from typing import Final, TypeVar

import psycopg
from django.db import InterfaceError, OperationalError
from django.db.models import F, Model, Q, QuerySet

from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.branches.registry import node_of

SILENCE: Final = (
    BranchDown,
    OutcomeUnknown,
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
"""What a node's silence raises. All else is about what was to be done, and tells of no other."""
_PAGE: Final = 200

Row = TypeVar("Row", bound=Model)


def reachable(
    rows: QuerySet[Row],
    *,
    by: str,
    accounts: Callable[[Row], Collection[int]],
    silent: Collection[str],
    most: int | None,
) -> Iterator[Row]:
    """Yield up to ``most`` of the rows, or all, whose accounts live on no ``silent`` node.

    In the order of the field ``by``, those without it first; a page of them is read at a time. The
    caller adds to ``silent`` as it goes, and comes back for the others with the next round.
    """
    tried = 0
    for row in _paged(rows, by=by):
        if {node_of(number) for number in accounts(row)}.isdisjoint(silent):
            tried += 1
            yield row
            if tried == most:
                return


def _paged(rows: QuerySet[Row], *, by: str) -> Iterator[Row]:
    # No cursor of the server: it would end with its connection, which a lost answer closes.
    ordered = rows.order_by(F(by).asc(nulls_first=True), "pk")
    page = list(ordered[:_PAGE])
    while page:
        beyond = _beyond(page[-1], by=by)
        yield from page
        page = list(ordered.filter(beyond)[:_PAGE]) if len(page) == _PAGE else []


def _beyond(row: Row, *, by: str) -> Q:
    """Return what finds the rows that come after one."""
    value = getattr(row, by)
    if value is None:
        return Q(**{f"{by}__isnull": False}) | Q(**{f"{by}__isnull": True}, pk__gt=row.pk)
    return Q(**{f"{by}__gt": value}) | Q(**{by: value}, pk__gt=row.pk)
