"""Names that a process remembers for half a minute: they hardly ever change, and pages need many.

Nothing about money, rights or standing is remembered here.
"""

from collections.abc import Callable, Collection
from time import monotonic
from typing import Final, Generic, TypeVar

SECONDS: Final = 30.0
_MOST: Final = 50_000
_Value = TypeVar("_Value")
_all: Final[list["Remembered[object]"]] = []


class Remembered(Generic[_Value]):
    """Values by number. ``ask`` finds those that are not remembered; it leaves out the unknown."""

    def __init__(self, ask: Callable[[set[int]], dict[int, _Value]]) -> None:
        self._ask = ask
        self._kept: dict[int, tuple[_Value, float]] = {}
        _all.append(self)  # type: ignore[arg-type]  # forgotten whatever they are

    def of(self, numbers: Collection[int]) -> dict[int, _Value]:
        """Return the values that are known, each at most half a minute old."""
        now = monotonic()
        known: dict[int, _Value] = {}
        for number in numbers:
            kept = self._kept.get(number)
            if kept is not None and now < kept[1]:
                known[number] = kept[0]
        missing = {*numbers} - known.keys()
        if missing:
            found = self._ask(missing)
            self._keep(found, until=now + SECONDS)
            known.update(found)
        return known

    def forget(self) -> None:
        """Forget all of them."""
        self._kept.clear()

    def _keep(self, found: dict[int, _Value], *, until: float) -> None:
        if len(self._kept) > _MOST:
            self._kept.clear()
        self._kept.update({number: (value, until) for number, value in found.items()})


def forget_all() -> None:
    """Forget what this process remembers."""
    for one in _all:
        one.forget()
