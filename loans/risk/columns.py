"""What a model expects to be given: columns, and what training has seen in each."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Value = float | str | None
Row = Mapping[str, Value]

_MARGIN = 0.1


class CannotScore(Exception):
    """A row is not what the model expects, so a person has to look; ``reason`` says why."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column = column
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its range, or its ``categories``; empty only if training has seen it so.

    ``typical`` is the median or the most frequent category of loans that were repaid.
    """

    name: str
    lowest: float = 0.0
    highest: float = 0.0
    categories: Sequence[str] = ()
    may_be_empty: bool = False
    typical: Value = None

    @property
    def width(self) -> int:
        """How many numbers the model gets for it."""
        return len(self.categories) or 1

    def numbers(self, value: Value) -> list[float]:
        """Return what the model gets for a value; beyond the range, the range's nearer end.

        Raises:
            CannotScore: of another kind, empty, or of an unseen category.
        """
        if self.categories:
            if value not in self.categories:
                raise CannotScore(self.name, f"{value!r} was never seen in training")
            return [float(value == category) for category in self.categories]
        if value is None:
            if not self.may_be_empty:
                raise CannotScore(self.name, "is empty, which was never seen in training")
            return [math.nan]
        if isinstance(value, str) or not math.isfinite(value):
            raise CannotScore(self.name, f"{value!r} is no number")
        return [min(max(float(value), self.lowest), self.highest)]

    def holds(self, value: Value) -> bool:
        """Say whether a number is in the range, or beyond it by a tenth of its width at most."""
        if self.categories or value is None or isinstance(value, str):
            return True
        margin = (self.highest - self.lowest) * _MARGIN
        return self.lowest - margin <= value <= self.highest + margin


def encode(columns: Sequence[Column], row: Row) -> list[float]:
    """Return a row as the model takes it.

    Raises:
        CannotScore: naming the first column that is missing or unfit.
    """
    numbers: list[float] = []
    for column in columns:
        if column.name not in row:
            raise CannotScore(column.name, "is missing")
        numbers.extend(column.numbers(row[column.name]))
    return numbers


def beyond_range(columns: Sequence[Column], row: Row) -> str | None:
    """Return the first column whose number training has not seen the like of."""
    return next((column.name for column in columns if not column.holds(row[column.name])), None)


def learn_columns(rows: Sequence[Row], bad: Iterable[bool]) -> list[Column]:
    """Return the columns of rows that all have the same ones."""
    repaid = [row for row, was_bad in zip(rows, bad, strict=True) if not was_bad]
    return [
        _learned(name, [row[name] for row in rows], [row[name] for row in repaid])
        for name in rows[0]
    ]


def _learned(name: str, values: Sequence[Value], of_repaid: Sequence[Value]) -> Column:
    if any(isinstance(value, str) for value in values):
        words = [str(value) for value in values]
        kinds = sorted(set(words))
        most = max(kinds, key=[str(value) for value in of_repaid].count)
        return Column(name=name, categories=kinds, typical=most)
    numbers = sorted(float(value) for value in values if value is not None)
    good = sorted(float(value) for value in of_repaid if value is not None)
    return Column(
        name=name,
        lowest=numbers[0],
        highest=numbers[-1],
        may_be_empty=len(numbers) < len(values),
        typical=good[len(good) // 2],
    )


def column_from(stored: Mapping[str, Any]) -> Column:
    """Return a column as a registry entry keeps it."""
    return Column(**{**stored, "categories": tuple(stored["categories"])})
