"""Going through rows page by page, newest first: after a row, not after a count of rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)


def older(rows: QuerySet[Row], *, by: str, than: Sequence[str] | None) -> QuerySet[Row]:
    """Return the rows newest first by an instant, those after a ``position`` if one is given."""
    ordered = rows.order_by(f"-{by}", "-pk")
    if than is None:
        return ordered
    at, pk = datetime.fromisoformat(than[0]), than[1]
    return ordered.filter(Q(**{f"{by}__lt": at}) | Q(**{by: at, "pk__lt": pk}))


def position(row: Any, *, by: str) -> list[str]:
    """Return where a row stands, as cursors keep it."""
    return [getattr(row, by).isoformat(), str(row.pk)]
