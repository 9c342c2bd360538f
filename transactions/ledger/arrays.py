"""Array parameters in PostgreSQL's binary form, packed whole.

psycopg writes a list element by element in Python; for the thousands of items of a batch that costs
as much as posting them. The form is that of ``array_recv`` (src/backend/utils/adt/arrayfuncs.c):
dimensions, has-nulls, element type, length and lower bound, then each element behind its length.
"""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime
from struct import Struct, pack
from typing import ClassVar, Final

from psycopg import Cursor
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER: Final = Struct("!iiIii")
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_NULL: Final = pack("!i", -1)


class PackedArray:
    """One array parameter, packed."""

    __slots__ = ("content",)
    element: ClassVar[int]

    def __init__(self, elements: bytes, length: int, *, nulls: bool = False) -> None:
        header = _HEADER.pack(1, int(nulls), self.element, length, 1)
        self.content = header + elements


class Bigints(PackedArray):
    """A ``bigint[]``."""

    element = 20

    def __init__(self, values: Sequence[int]) -> None:
        flat = array("q", values)
        super().__init__(_interleaved("iq", 8, flat), len(flat))


class Integers(PackedArray):
    """An ``integer[]``."""

    element = 23

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(_interleaved("ii", 4, values), len(values))


class Smallints(PackedArray):
    """A ``smallint[]``."""

    element = 21

    def __init__(self, values: Sequence[int]) -> None:
        super().__init__(_interleaved("ih", 2, values), len(values))


class Booleans(PackedArray):
    """A ``boolean[]``."""

    element = 16

    def __init__(self, values: Sequence[bool]) -> None:
        super().__init__(_interleaved("i?", 1, values), len(values))


class Texts(PackedArray):
    """A ``text[]``, with NULLs."""

    element = 25

    def __init__(self, values: Sequence[str | None]) -> None:
        known: dict[str | None, bytes] = {None: _NULL}
        for value in set(values):
            if value is not None:
                encoded = value.encode()
                known[value] = pack("!i", len(encoded)) + encoded
        super().__init__(
            b"".join([known[value] for value in values]), len(values), nulls=None in values
        )


class Instants(PackedArray):
    """A ``timestamptz[]``, with NULLs."""

    element = 1184

    def __init__(self, values: Sequence[datetime | None]) -> None:
        parts = [_NULL if value is None else pack("!iq", 8, _micros(value)) for value in values]
        super().__init__(b"".join(parts), len(values), nulls=None in values)


def _micros(value: datetime) -> int:
    since = value - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def _interleaved(form: str, size: int, values: Sequence[int]) -> bytes:
    """Pack each value behind its size, both big-endian."""
    flat = [size] * (2 * len(values))
    flat[1::2] = values
    return pack("!" + form * len(values), *flat)


_ARRAY_OIDS: Final = {
    Bigints: 1016,
    Integers: 1007,
    Smallints: 1005,
    Booleans: 1000,
    Texts: 1009,
    Instants: 1185,
}


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: PackedArray) -> Buffer:
        return obj.content


_DUMPERS: Final = {
    kind: type(f"{kind.__name__}Dumper", (_PackedDumper,), {"oid": oid})
    for kind, oid in _ARRAY_OIDS.items()
}


def adapt_packed_arrays(cursor: Cursor[object]) -> None:
    """Teach a cursor to send packed arrays."""
    for kind, dumper in _DUMPERS.items():
        cursor.adapters.register_dumper(kind, dumper)
