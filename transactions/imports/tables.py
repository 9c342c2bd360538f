"""Reading tables of text: a file as a whole, then its fields, saying exactly what is wrong."""

import csv
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, TypeVar

from core.errors import DomainError
from core.money import currency_named

_DECIMAL: Final = re.compile(
    r"(?P<sign>-?)(?P<whole>[0-9]{1,13})(?:\.(?P<fraction>[0-9]{1,3}))?", re.ASCII
)
_WHOLE: Final = re.compile(r"[0-9]{1,9}", re.ASCII)
_SIX_DIGITS: Final = re.compile(r"[0-9]{6}", re.ASCII)

Parsed = TypeVar("Parsed")


class UnreadableFile(DomainError):
    """A file cannot be read as the table it should be."""

    code = "unreadable_file"


class BadRow(DomainError):
    """A row of a file is not what it has to be; ``account`` is the file's own name of it."""

    code = "bad_row"

    def __init__(  # where it is, and what is wrong there
        self, *, line: int, field: str, expected: str, found: str, account: str | None = None
    ) -> None:
        of_account = "" if account is None else f", account {account}"
        super().__init__(
            f"line {line}{of_account}, {field}: expected {expected}, found {found}", field=field
        )
        self.line = line


class BadField(Exception):  # like BadRow, which it becomes
    """A field is not what it has to be; who reads the row knows where it stands."""

    def __init__(self, *, field: str, expected: str, found: str) -> None:
        super().__init__(field)
        self.field = field
        self.expected = expected
        self.found = found

    def at(self, line: int, *, account: str | None = None) -> BadRow:
        """Return the refusal of the row."""
        return BadRow(
            line=line,
            account=account,
            field=self.field,
            expected=self.expected,
            found=self.found,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table and where it stands in the file."""

    number: int
    fields: Sequence[str]


def read_table(path: Path, *, columns: Sequence[str], delimiter: str = ",") -> list[Line]:
    """Return the rows below the header, which has to be ``columns``.

    Raises:
        UnreadableFile: no such file, not a table in UTF-8, other columns, or no rows.
    """
    reader = csv.reader(_text(path).splitlines(keepends=True), delimiter=delimiter, strict=True)
    try:
        lines = [Line(reader.line_num, fields) for fields in reader]
    except csv.Error as error:
        message = f"{path}, line {reader.line_num}: {error}"
        raise UnreadableFile(message) from error
    if not lines or list(lines[0].fields) != list(columns):
        wanted = delimiter.join(columns)
        message = f"{path}: the first line has to name the columns {wanted}"
        raise UnreadableFile(message)
    if len(lines) == 1:
        message = f"{path} has no rows"
        raise UnreadableFile(message)
    return lines[1:]


def parse_table(
    path: Path, columns: Sequence[str], parse: Callable[[Sequence[str]], Parsed]
) -> list[Parsed]:
    """Return the rows of a table, each parsed; the first field is the row's own id.

    Raises:
        UnreadableFile: naming file, line and field.
    """
    seen: set[str] = set()
    parsed = []
    for line in read_table(path, columns=columns, delimiter=";"):
        try:
            check_length(line.fields, columns)
            _check_new(line.fields[0], seen, field=columns[0])
            parsed.append(parse(line.fields))
        except BadField as bad:
            message = f"{path}, {bad.at(line.number).message}"
            raise UnreadableFile(message) from bad
    return parsed


def _check_new(text: str, seen: set[str], *, field: str) -> None:
    if text in seen:
        raise BadField(field=field, expected="each once", found=text)
    seen.add(text)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        message = (
            f"{path} is not text in UTF-8: byte {error.start} is {error.object[error.start]:#x}"
        )
        raise UnreadableFile(message) from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        message = f"cannot read {path}: {reason}"
        raise UnreadableFile(message) from error


def check_length(fields: Sequence[str], columns: Sequence[str]) -> None:
    """Raise BadField unless a row has as many fields as there are columns."""
    if len(fields) != len(columns):
        raise BadField(field="fields", expected=str(len(columns)), found=str(len(fields)))


def whole(text: str, *, field: str) -> int:
    """Read a whole number that is not negative."""
    if not _WHOLE.fullmatch(text):
        raise BadField(field=field, expected="a whole number", found=repr(text))
    return int(text)


def minor_units(text: str, *, currency: str, field: str) -> int:
    """Read a decimal such as ``-12.5`` in minor units of its currency."""
    exponent = currency_named(currency).exponent
    found = _DECIMAL.fullmatch(text)
    if found is None or len(found["fraction"] or "") > exponent:
        raise BadField(field=field, expected=f"a decimal number in {currency}", found=repr(text))
    fraction = (found["fraction"] or "").ljust(exponent, "0")
    return int(f"{found['sign']}{found['whole']}{fraction}")


def day(text: str, *, field: str) -> date:
    """Read a day of the years 1900 to 1999, written YYMMDD."""
    if _SIX_DIGITS.fullmatch(text):
        try:
            return datetime.strptime(f"19{text}", "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError:
            pass
    raise BadField(field=field, expected="a day YYMMDD", found=repr(text))


def one_of(text: str, choices: Collection[str], *, field: str) -> str:
    """Read one of some words."""
    if text not in choices:
        words = ", ".join(repr(choice) for choice in choices)
        raise BadField(field=field, expected=f"one of {words}", found=repr(text))
    return text
