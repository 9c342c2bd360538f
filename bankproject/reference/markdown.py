"""Markdown, as the pages of the reference are written in."""

from collections.abc import Iterable, Sequence
from typing import Final

MADE: Final = "<!-- Made from the code by `make reference`: change the code, not this page. -->"


def written(title: str, *parts: str) -> str:
    """Return a page of parts with a blank line between them."""
    return "\n\n".join([f"# {title}", MADE, *(part for part in parts if part)]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; nothing where it has no rows."""
    lines = [_line(row) for row in rows]
    return "\n".join([_line(heads), "|---" * len(heads) + "|", *lines]) if lines else ""


def code(text: str) -> str:
    """Return a text as code; nothing for an empty one."""
    return f"`{text}`" if text else ""


def sentence(text: str) -> str:
    """Return the first sentence of a docstring or comment, on one line."""
    first = " ".join(text.strip().partition("\n\n")[0].split())
    return first.replace("``", "`")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
