"""What a WSGI application (PEP 3333) is told of a request, and its answer as it is sent."""

import io
import sys
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes
from uuid import uuid4

import structlog

from bankproject.web.requests import Connection, GoneError
from lb.data.bodies import LAST_CHUNK, in_chunk
from lb.data.heads import RefusedError, RequestHead, status_line
from lb.data.problems import problem

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_GATHERED_BYTES: Final = 65_536
_GATHERED_SECONDS: Final = 1.0
_BODILESS: Final = frozenset({"204", "304"})
# What concerns the connection is the worker's to say.
_OF_CONNECTION: Final = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade"})
_FAILED: Final = 500

log = structlog.get_logger(__name__)


def environment(place: tuple[str, int]) -> dict[str, Any]:
    """Return what every request at a worker's address is told alike."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": place[0],
        "SERVER_PORT": str(place[1]),
        "wsgi.version": (1, 0),
        # Who ends TLS before the worker says so in X-Forwarded-Proto.
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }


def environ_of(connection: Connection, head: RequestHead) -> dict[str, Any]:
    """Return what the application is told of the request that is there."""
    path, _, query = head.target.partition(b"?")
    body = connection.body
    found = {
        **connection.base,
        "REQUEST_METHOD": head.method,
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_PROTOCOL": "HTTP/1.0" if head.is_old else "HTTP/1.1",
        "REMOTE_ADDR": connection.peer[0],
        "REMOTE_PORT": str(connection.peer[1]),
        "wsgi.input": io.BytesIO() if body is None else body.for_application(),
    }
    for name, value in connection.fields:
        key, text = _key(name), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    if head.chunked and body is not None:
        found["CONTENT_LENGTH"] = str(body.size)
    return found


@lru_cache(maxsize=512)
def _key(name: bytes) -> str:
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


class Answer:
    """One answer: its head as the application says it, its body as it comes."""

    def __init__(self, connection: Connection, head: RequestHead, *, closes: bool) -> None:
        self.has_begun = False
        self._connection = connection
        self._request = head
        body = connection.body
        # What is unread of a body would be taken for the next request.
        self.closes = closes or head.close or (body is not None and not body.has_ended)
        self._length: int | None = None
        self._sent = 0
        self._written_at = time.monotonic()
        self._head: list[str] = []
        self._is_bodiless = self._is_chunked = False

    def start(
        self, status: str, fields: list[tuple[str, str]], failure: Any = None
    ) -> Callable[[bytes], None]:
        """Take the head (``start_response``)."""
        if failure and self.has_begun:
            raise failure[1].with_traceback(failure[2])
        head = [f"HTTP/1.1 {status}\r\n"]
        self._length = None
        for name, value in fields:
            lower = name.lower()
            if lower == "content-length":
                self._length = int(value)
            if lower not in _OF_CONNECTION:
                head.append(f"{name}: {value}\r\n")
        self._is_bodiless = self._request.method == "HEAD" or status[:3] in _BODILESS
        is_open = self._length is None and not self._is_bodiless
        self._is_chunked = is_open and not self._request.is_old
        self.closes = self.closes or (is_open and self._request.is_old)
        self._head = head
        return self._refuse_old_way

    @staticmethod
    def _refuse_old_way(_data: bytes) -> None:
        message = "an answer is what the application returns"
        raise NotImplementedError(message)

    def send(self, pieces: Iterable[bytes]) -> None:
        """Send the body, many small pieces at once.

        Raises ``GoneError``, ValueError when it is not the answer that was announced.
        """
        gathered: list[bytes] = []
        size = 0
        for piece in pieces:
            if not piece or self._is_bodiless:
                continue
            gathered.append(in_chunk(piece) if self._is_chunked else piece)
            size += len(piece)
            if size >= _GATHERED_BYTES or time.monotonic() > self._written_at + _GATHERED_SECONDS:
                self._write(gathered, size)
                gathered, size = [], 0
        if self._is_chunked:
            gathered.append(LAST_CHUNK)
        self._write(gathered, size)
        if not self._is_bodiless and self._length not in (None, self._sent):
            message = f"an answer of {self._length} bytes has {self._sent}"
            raise ValueError(message)

    def _write(self, gathered: list[bytes], size: int) -> None:
        self._sent += size
        if self._length is not None and self._sent > self._length:
            # The rest would be taken for the next answer.
            message = f"an answer of {self._length} bytes has more"
            raise ValueError(message)
        if not self.has_begun:
            gathered.insert(0, self._first())
            self.has_begun = True
        self._connection.send(b"".join(gathered))
        self._written_at = time.monotonic()

    def _first(self) -> bytes:
        lines = [*self._head, f"Date: {_date(int(time.time()))}\r\n"]
        if self._is_chunked:
            lines.append("Transfer-Encoding: chunked\r\n")
        if self.closes:
            lines.append("Connection: close\r\n")
        head = "".join(lines)
        if not self._head or not head.count("\r") == head.count("\n") == len(lines):
            message = "an answer without a head, or with one field in another"
            raise ValueError(message)
        return f"{head}\r\n".encode("latin-1")


@lru_cache(maxsize=1)
def _date(now: int) -> str:
    return formatdate(now, usegmt=True)


def answer(
    application: Application, connection: Connection, head: RequestHead, *, closes: bool
) -> bool:
    """Have the application answer the request that is there; tell whether another may follow.

    Raises ``GoneError``.
    """
    found = Answer(connection, head, closes=closes)
    try:
        pieces = application(environ_of(connection, head), found.start)
        try:
            found.send(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
    except GoneError:
        raise
    except Exception:
        log.exception("answer_failed", method=head.method)
        if not found.has_begun:
            detail, is_head = "Something went wrong here.", head.method == "HEAD"
            tell(connection, _FAILED, detail, "internal_error", is_head=is_head)
        return False
    return not found.closes


def refuse(connection: Connection, error: RefusedError) -> None:
    """Answer a request that is none. Raises ``GoneError``."""
    tell(connection, error.status, f"Refused: {error.reason}.", "refused")


def tell(
    connection: Connection, status: int, detail: str, code: str, *, is_head: bool = False
) -> None:
    """Answer in the bank's form of problems, without the application. Raises ``GoneError``."""
    line, request_id = status_line(status), str(uuid4())
    log.warning("request_refused", status=status, detail=detail, request_id=request_id)
    body = problem(status, detail, code, request_id)
    head = b"Content-Type: application/problem+json\r\nCache-Control: no-store\r\n"
    rest = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    connection.send(b"".join((line, head, rest, b"" if is_head else body)))
