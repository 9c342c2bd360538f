"""Files of statements: the formats there are, and a file of what is wanted in one of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.spreadsheets import closed, csv_lines
from transactions.statements.camt053 import camt053
from transactions.statements.mt940 import mt940
from transactions.statements.ofx import ofx
from transactions.statements.pages import Wanted
from transactions.statements.pdf import statement_pdf
from transactions.statements.rows import table_rows
from transactions.statements.whole import WholeStatement, whole_statement

Piece = str | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFormat:
    """A format by what people call it; ``pieces`` raises before the first one, or breaks off."""

    label: str
    media_type: str
    pieces: Callable[[WholeStatement], Iterator[Piece]]
    oldest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFile:
    """A file to be sent piece by piece."""

    name: str
    media_type: str
    pieces: Iterator[Piece]


def _csv(statement: WholeStatement) -> Iterator[str]:
    return csv_lines(closed(table_rows(statement)))


FORMATS: Final = {
    "pdf": FileFormat(
        label="PDF", media_type="application/pdf", pieces=statement_pdf, oldest_first=True
    ),
    "csv": FileFormat(label="CSV", media_type="text/csv; charset=utf-8", pieces=_csv),
    "ofx": FileFormat(label="OFX", media_type="application/x-ofx; charset=utf-8", pieces=ofx),
    "xml": FileFormat(label="CAMT.053", media_type="application/xml", pieces=camt053),
    "sta": FileFormat(
        label="MT940", media_type="text/plain; charset=us-ascii", pieces=mt940, oldest_first=True
    ),
}
"""By the ending of the files' names."""


def statement_file(  # a file has these sides
    user: int, *, owner: str, number: int, wanted: Wanted, form: str, now: datetime
) -> StatementFile:
    """Return a file of all wanted movements of a person's account.

    Raises:
        Refused: the person has no such account.
        BranchDown: a branch on which it has lived does not answer.
        InvalidAmount, EmptyRange: of what is wanted.
        TooManyEntries, AmountTooLongForMt940: not in this format.
        TypesetterBusy: too many PDFs are being made.
    """
    chosen = FORMATS[form]
    statement = whole_statement(
        user,
        owner=owner,
        number=number,
        wanted=wanted,
        now=now,
        oldest_first=chosen.oldest_first,
    )
    return StatementFile(
        name=f"statement-{number}.{form}",
        media_type=chosen.media_type,
        pieces=chosen.pieces(statement),
    )
