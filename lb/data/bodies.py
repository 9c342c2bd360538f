"""Bodies in chunks: read strictly, and framed anew."""

import re
from collections.abc import Callable
from typing import Final

from lb.data.heads import RefusedError

_Read = Callable[[bytes, int, list[bytes]], int | None]

LAST_CHUNK: Final = b"0\r\n\r\n"
_SIZE_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,12})(?:;[\t -~]*)?")
_TRAILER_LINE: Final = re.compile(rb"[!#$%&'*+.^`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*")
_MOST_LINE: Final = 512
_MOST_BESIDE: Final = 16_384
"""What extensions and trailers of one body may add up to. Both are read, and passed to nobody."""


def in_chunk(payload: bytes) -> bytes:
    """Return the payload as one chunk."""
    return b"%x\r\n%b\r\n" % (len(payload), payload)


class ChunkedBody:
    """Reads one body in chunks, however its bytes arrive."""

    __slots__ = ("_beside", "_held", "_left", "_read")

    def __init__(self) -> None:
        self._held = b""
        self._left = 0
        self._beside = 0
        self._read: _Read = self._size

    def feed(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Return the payload in ``data``, and what follows the body once it has ended, else None.

        Raises ``RefusedError``.
        """
        buffer, self._held = self._held + data, b""
        payload: list[bytes] = []
        at: int | None = 0
        while at is not None and at < len(buffer):
            before = at
            at = self._read(buffer, at, payload)
            if at is None:
                self._held = buffer[before:]
            elif at < 0:
                return b"".join(payload), buffer[-at - 1 :]
        return b"".join(payload), None

    # Each of these reads one thing of the buffer, and returns where the next begins, None when
    # more bytes are needed, and the position less one, negated, at the body's end.

    def _size(self, buffer: bytes, at: int, _payload: list[bytes]) -> int | None:
        end = self._line(buffer, at)
        if end is None:
            return None
        found = _SIZE_LINE.fullmatch(buffer, at, end)
        if found is None:
            raise RefusedError(400, "the size of a chunk is no size")
        self._left = int(found[1], 16)
        self._count(end - found.end(1))
        self._read = self._payload if self._left else self._trailer
        return end + 2

    def _payload(self, buffer: bytes, at: int, payload: list[bytes]) -> int | None:
        piece = buffer[at : at + self._left]
        payload.append(piece)
        self._left -= len(piece)
        if not self._left:
            self._read = self._chunk_end
        return at + len(piece)

    def _chunk_end(self, buffer: bytes, at: int, _payload: list[bytes]) -> int | None:
        found = buffer[at : at + 2]
        if not b"\r\n".startswith(found):
            raise RefusedError(400, "a chunk is longer than its size")
        if len(found) < len(b"\r\n"):
            return None
        self._read = self._size
        return at + 2

    def _trailer(self, buffer: bytes, at: int, _payload: list[bytes]) -> int | None:
        end = self._line(buffer, at)
        if end is None:
            return None
        if end == at:
            return -(end + 2) - 1
        if _TRAILER_LINE.fullmatch(buffer, at, end) is None:
            raise RefusedError(400, "a trailer is no field")
        self._count(end - at)
        return end + 2

    def _line(self, buffer: bytes, at: int) -> int | None:
        end = buffer.find(b"\r\n", at)
        if (len(buffer) if end < 0 else end) - at > _MOST_LINE:
            raise RefusedError(400, "a line of a chunked body is too long")
        return None if end < 0 else end

    def _count(self, beside: int) -> None:
        self._beside += beside
        if self._beside > _MOST_BESIDE:
            raise RefusedError(400, "too much beside the body")
