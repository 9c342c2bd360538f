"""Requests as they arrive at a web worker: read strictly, without waiting for slow senders."""

import io
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from lb.data.bodies import ChunkedBody
from lb.data.heads import END, MAX_HEAD, HeadParser, RefusedError, RequestHead

READ_BYTES: Final = 65_536
AWAITED_BYTES: Final = 65_536
"""So much of a body is awaited before the application is asked; the rest it reads as it comes."""
MOST_CHUNKED_BYTES: Final = 2_621_440
"""A body in chunks does not say how long it is: it is awaited whole, and may not be longer.

Django takes no longer ones from forms.
"""
SLOWEST_SECONDS: Final = 30.0
SLOWEST_BYTES: Final = 10_000
"""A thread waits so long for a client in one request, and a second more for so many bytes."""

_AT_ONCE: Final = False
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_TOO_LONG: Final = 413


class GoneError(ConnectionError):
    """The client has hung up, or takes too long."""


class Connection:
    """One client's connection. Only one thread at a time may touch it.

    ``base`` is what every request at the same address is told alike; ``is_taken``, ``is_parked``,
    ``is_closed`` and ``deadline`` are the worker's.
    """

    __slots__ = (
        *("base", "body", "deadline", "fields", "is_closed", "is_leaving", "is_parked"),
        *("is_taken", "peer", "socket"),
        *("_head", "_held", "_moved", "_parser", "_waits_since"),
    )

    def __init__(
        self,
        client: socket.socket,
        peer: tuple[str, int],
        base: Mapping[str, Any],
        *,
        deadline: float,
    ) -> None:
        client.setblocking(_AT_ONCE)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = client
        self.peer = peer
        self.base = base
        self.deadline = deadline
        self.is_taken = self.is_parked = self.is_leaving = self.is_closed = False
        self._head: RequestHead | None = None
        self.fields: list[tuple[bytes, bytes]] = []
        self.body: Body | None = None
        self._parser = HeadParser()
        self._waits_since: float | None = None
        self._moved = 0
        self._held = b""

    @property
    def is_between_requests(self) -> bool:
        """Tell whether nothing of a request is there."""
        return self._head is None and not self._held

    def receive(self) -> None:
        """Read what has come, if anything. Raises ``GoneError``."""
        try:
            data = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            raise GoneError from error
        if not data:
            raise GoneError
        if not self.is_leaving:
            self._held += data

    def next_request(self) -> RequestHead | None:
        """Return the head of a request that is there, of a long body as much as is awaited.

        Raises ``RefusedError``, ``GoneError``.
        """
        head = self._head or self._read_head()
        if head is None or self.body is None or self.body.has_ended:
            return head
        data, self._held = self._held, b""
        self.body.add(data)
        return head if self.body.is_enough else None

    def _read_head(self) -> RequestHead | None:
        end = self._held.find(END) + len(END)
        if end < len(END) or end > MAX_HEAD:
            if len(self._held) > MAX_HEAD:
                raise RefusedError(431, "the head is too long")
            return None
        head, self._held = self._held[:end], self._held[end:]
        self._head, self.fields = self._parser.whole_request(head)
        self.body = Body(self, self._head) if self._head.has_body else None
        if self.body is not None and self._head.expects and not self._held:
            self.send(_CONTINUE)
        return self._head

    def begin_next(self) -> None:
        """Forget the request that was answered."""
        self._head = self.body = self._waits_since = None
        self._moved = 0

    def keep(self, rest: bytes) -> None:
        """Keep what came behind a body: it is the next request's."""
        self._held = rest

    def wait_for_body(self) -> bytes:
        """Return more bytes when they come. Raises ``GoneError``."""
        try:
            self.socket.settimeout(self._patience())
            data = self.socket.recv(READ_BYTES)
        except OSError as error:
            raise GoneError from error
        finally:
            self.socket.setblocking(_AT_ONCE)
        if not data:
            raise GoneError
        self._moved += len(data)
        return data

    def send(self, data: bytes) -> None:
        """Send all of it, at the pace of the client. Raises ``GoneError``."""
        view = memoryview(data)
        try:
            sent = self._send_at_once(view)
            while sent < len(view):
                self.socket.settimeout(self._patience())
                moved = self.socket.send(view[sent:])
                self._moved += moved
                sent += moved
        except OSError as error:
            raise GoneError from error
        finally:
            if self.socket.gettimeout():
                self.socket.setblocking(_AT_ONCE)

    def _send_at_once(self, view: memoryview) -> int:
        try:
            return self.socket.send(view)
        except BlockingIOError:
            return 0

    def _patience(self) -> float:
        """Return how long a thread waits for this client yet. Raises ``GoneError``."""
        now = time.monotonic()
        if self._waits_since is None:
            self._waits_since = now
        left = self._waits_since + SLOWEST_SECONDS + self._moved / SLOWEST_BYTES - now
        if left <= 0:
            raise GoneError
        return left

    def leave(self) -> None:
        """Say no more, and hear the client out: a reset would take the answer back."""
        self.is_leaving = True
        self.begin_next()
        self._held = b""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)


class Body(io.RawIOBase):
    """A request's body: what has come of it, and the rest as it comes."""

    def __init__(self, connection: Connection, head: RequestHead) -> None:
        super().__init__()
        self.length = head.length
        self.size = 0
        self.has_ended = False
        self._connection = connection
        self._chunks = ChunkedBody() if head.chunked else None
        self._pieces: list[bytes] = []

    @property
    def is_enough(self) -> bool:
        """Tell whether the application may be asked."""
        return self.has_ended or (self._chunks is None and self.size >= AWAITED_BYTES)

    def add(self, data: bytes) -> None:
        """Take what belongs to the body, and leave the rest to the connection.

        Raises ``RefusedError``.
        """
        rest: bytes | None
        if self._chunks is not None:
            payload, rest = self._chunks.feed(data)
            self.has_ended = rest is not None
        else:
            left = (self.length or 0) - self.size
            payload, rest = data[:left], data[left:]
            self.has_ended = len(payload) == left
        self.size += len(payload)
        if payload:
            self._pieces.append(payload)
        if self._chunks is not None and self.size > MOST_CHUNKED_BYTES:
            raise RefusedError(_TOO_LONG, "the body is too long")
        if rest:
            self._connection.keep(rest)

    def for_application(self) -> io.BufferedIOBase:
        """Return it as the application reads it (``wsgi.input``)."""
        if self.has_ended:
            whole, self._pieces = b"".join(self._pieces), []
            return io.BytesIO(whole)
        return io.BufferedReader(self, READ_BYTES)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # what io hands over
        """Fill ``buffer`` with what comes next; nothing is left when it returns 0."""
        while not self._pieces and not self.has_ended:
            self.add(self._connection.wait_for_body())
        if not self._pieces:
            return 0
        piece = self._pieces.pop(0)
        taken = min(len(piece), len(buffer))
        buffer[:taken] = piece[:taken]
        if taken < len(piece):
            self._pieces.insert(0, piece[taken:])
        return taken
