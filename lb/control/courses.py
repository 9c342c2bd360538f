"""Drawings of how shares and latencies went, as lines that need no script."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lb.control.history import Moment

LINES: Final = 6
"""So many backends are told apart in a drawing: those with most requests."""
_WIDTH: Final = 400
_LEFT: Final = 58
_TOP: Final = 10
_BOTTOM: Final = 132
_PARTS: Final = 2
_ROUND: Final = (1, 2, 2.5, 5)

Value = Callable[[Moment, str], float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """How one backend went: a path, and its last value."""

    name: str
    path: str
    last: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """A drawing: heights with what they stand for, and a line for each backend."""

    marks: Sequence[tuple[float, float]]
    lines: Sequence[Line]


def busiest(moments: Sequence[Moment]) -> list[str]:
    """Return the names of the backends that are drawn, in their order."""
    total: dict[str, int] = {}
    for moment in moments:
        for name, figures in moment.figures.items():
            total[name] = total.get(name, 0) + figures.requests
    return sorted(sorted(total, key=lambda name: -total[name])[:LINES])


def course(
    moments: Sequence[Moment], names: Sequence[str], value: Value, *, most: float | None = None
) -> Course:
    """Draw what ``value`` says of each backend over the moments, from nothing up to ``most``."""
    values = {name: [value(moment, name) for moment in moments] for name in names}
    top = most or _rounded_up(max(one or 0 for found in values.values() for one in found))
    marks = [(_height(top * part / _PARTS, top), top * part / _PARTS) for part in range(_PARTS + 1)]
    places = _places(moments)
    lines = [Line(name, _path(places, found, top), found[-1]) for name, found in values.items()]
    return Course(marks, lines)


def _places(moments: Sequence[Moment]) -> list[float]:
    """Return where each moment is, by its time: what was not noted leaves its room."""
    first, last = moments[0].at, moments[-1].at
    span = (last - first).total_seconds() or 1.0
    return [_LEFT + (_WIDTH - _LEFT) * (one.at - first).total_seconds() / span for one in moments]


def _path(places: Sequence[float], values: Sequence[float | None], top: float) -> str:
    steps, draws = [], False
    for place, value in zip(places, values, strict=True):
        if value is not None:
            point = f"{place:.1f} {_height(value, top):.1f}"
            # A line of no length is a dot: one value between none is seen, too.
            steps.append(f"L{point}" if draws else f"M{point}L{point}")
        draws = value is not None
    return "".join(steps)


def _height(value: float, top: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * value / top


def _rounded_up(value: float) -> float:
    """Return the next round number above, ten at least."""
    scale = 10.0
    while True:
        for one in _ROUND:
            if one * scale >= value:
                return one * scale
        scale *= 10
