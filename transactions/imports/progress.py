"""How far a load is: a bar on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.core.management.base import OutputWrapper
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINES: Final = 10


class Counted:
    """How many rows are done; ``advance`` tells it of more."""

    def __init__(self, show: Callable[[int], None]) -> None:
        self.rows = 0
        self._show = show

    def advance(self, rows: int) -> None:
        """Count rows that are done."""
        self.rows += rows
        self._show(self.rows)


@contextmanager
def progress(total: int, *, out: OutputWrapper) -> Iterator[Counted]:
    """Show the progress of the block through ``total`` rows."""
    if not out.isatty():
        yield Counted(_Lines(total, out))
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn()) as bar:
        task = bar.add_task("rows", total=total)
        yield Counted(lambda rows: bar.update(task, completed=rows))


class _Lines:
    """About ten lines in all."""

    def __init__(self, total: int, out: OutputWrapper) -> None:
        self._total = total
        self._out = out
        self._shown = 0

    def __call__(self, rows: int) -> None:
        tenth = rows * LINES // self._total
        if tenth > self._shown:
            self._shown = tenth
            self._out.write(f"{rows} of {self._total} rows")
