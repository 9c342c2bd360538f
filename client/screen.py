"""What a person, or a program, gets to see: data on the standard output, the rest beside it."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple

from client.failures import visible

GAP: Final = 2
WIDEST: Final = 2_000
"""Where no terminal says how wide it is, lines are not broken."""


class Form(StrEnum):
    """How data are written."""

    TABLE = "table"
    JSON = "json"
    PLAIN = "plain"


class Column(NamedTuple):
    """One column of a listing: its heading, and where an item has its value.

    ``is_spare``: people can do without it where the terminal is narrow.
    """

    heading: str
    value: str | Callable[[Mapping[str, Any]], object]
    is_figure: bool = False
    is_instant: bool = False
    is_spare: bool = False

    def text(self, item: Mapping[str, Any]) -> str:
        """Return the value as programs read it."""
        found = self.value(item) if callable(self.value) else item.get(self.value)
        if found is None:
            return ""
        if isinstance(found, bool):
            return "yes" if found else "no"
        if isinstance(found, list):
            return visible(", ".join(map(str, found)))
        return visible(found)

    def words(self, item: Mapping[str, Any]) -> str:
        """Return the value as people read it: instants by their own clock."""
        text = self.text(item)
        if not (text and self.is_instant):
            return text
        return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")


class Screen:
    """The two outputs of a command."""

    def __init__(self, form: Form, *, is_quiet: bool) -> None:
        self.form = form
        self._is_quiet = is_quiet

    def items(self, found: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> None:
        """Show a listing."""
        if self.form is Form.JSON:
            _write_json(list(found))
        elif self.form is Form.PLAIN:
            for item in found:
                _write("\t".join(column.text(item) for column in columns))
        else:
            self._table(list(found), columns)

    def item(self, found: Mapping[str, Any], columns: Sequence[Column]) -> None:
        """Show one thing: a line for each of its values."""
        if self.form is Form.JSON:
            _write_json(found)
            return
        if self.form is Form.PLAIN:
            for column in columns:
                if text := column.text(found):
                    _write(f"{column.heading}\t{text}")
            return
        for line in _lines(found, columns):
            _write(line)

    def aside(self, found: Mapping[str, Any], columns: Sequence[Column]) -> None:
        """Show a person one thing beside the data: what they are asked about."""
        for line in _lines(found, columns):
            self.warn(f"  {line}")

    def note(self, text: str) -> None:
        """Tell a person what goes on, unless they want it quiet."""
        if not self._is_quiet:
            self.warn(text)

    def next(self, command: str) -> None:
        """Say which command comes next."""
        if self.form is Form.TABLE:
            self.note(f"Next: {command}")

    def warn(self, text: str) -> None:
        """Tell a person what they must know."""
        sys.stderr.write(visible(text) + "\n")

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Show that the bank is asked, where somebody looks."""
        is_shown = not self._is_quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        if is_shown:
            sys.stderr.write("…")
            sys.stderr.flush()
        try:
            yield
        finally:
            if is_shown:
                sys.stderr.write("\r\033[K")
                sys.stderr.flush()

    def _table(self, found: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> None:
        if not found:
            self.note("There are none.")
            return
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console(width=None if sys.stdout.isatty() else WIDEST)
        table = Table(box=None, pad_edge=False, header_style="bold")
        shown = _fitting(found, columns, width=console.width)
        for column in shown:
            side: Literal["left", "right"] = "right" if column.is_figure else "left"
            table.add_column(column.heading, justify=side, overflow="fold")
        for item in found:
            table.add_row(*(Text(column.words(item)) for column in shown))
        console.print(table)


def _fitting(
    found: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, width: int
) -> Sequence[Column]:
    """Return the columns without spare ones, from the last on, until they fit."""
    shown = [*columns]
    for column in reversed(columns):
        lines = [[len(one.heading) for one in shown]]
        lines += [[len(one.words(item)) for one in shown] for item in found]
        if sum(map(max, zip(*lines, strict=True))) + GAP * len(shown) <= width:
            break
        if column.is_spare:
            shown.remove(column)
    return shown


def _lines(found: Mapping[str, Any], columns: Sequence[Column]) -> Iterator[str]:
    """Yield a line for each value there is."""
    given = [(column.heading, words) for column in columns if (words := column.words(found))]
    widest = max((len(heading) for heading, _words in given), default=0)
    for heading, words in given:
        yield f"{heading:<{widest}}  {words}"


def _write_json(value: object) -> None:
    _write(json.dumps(value, ensure_ascii=False, indent=2))


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
