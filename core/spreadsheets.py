"""Files of rows, safe to open in a spreadsheet.

What is read while it is sent ends with a row that tells that the file is whole: one that broke off
on the way has none.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.http import StreamingHttpResponse

# What a spreadsheet takes for the beginning of a formula; the last four are the wide forms.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)

END: Final = "end of file"
"""In the first cell of the last row; the second one counts the rows before it."""


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_response(name: str, rows: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    """Answer with rows, headings first, as a file of comma-separated values, piece by piece."""
    return StreamingHttpResponse(
        csv_lines(rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def closed(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """Yield rows, headings first, and then one that tells that none is missing."""
    count, width = -1, 0
    for row in rows:
        count, width = count + 1, len(row)
        yield row
    # As wide as the others, for readers that insist on it.
    yield [END, str(count), *[""] * (width - 2)]


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    is_formula = text.lstrip(" ").startswith(_FORMULA) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield rows as lines of comma-separated values."""
    writer = csv.writer(_Echo())
    for row in rows:
        line: str = writer.writerow([safe_cell(cell) for cell in row])
        yield line
