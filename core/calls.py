"""Calls to addresses that somebody gave the bank: one POST, no redirects, and never for long."""

import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import httpcore

from core.outgoing import (
    AddressRefused,
    OutgoingAddress,
    ip_addresses_of,
    read_address,
)

CONNECT_SECONDS: Final = 3.0
WHOLE_SECONDS: Final = 10.0
EXCERPT_BYTES: Final = 512

# The first that an error is an instance of counts.
_FAILURES: Final[Mapping[type[Exception], str]] = {
    httpcore.ConnectTimeout: "connect_timeout",
    httpcore.TimeoutException: "timeout",
    httpcore.ProtocolError: "not_http",
    httpcore.NetworkError: "connection_failed",
}
_EXPECTED: Final[tuple[type[Exception], ...]] = (AddressRefused, *_FAILURES)
_thread: Final = threading.local()


class CallFailed(Exception):
    """There is no answer; ``code`` says why. The receiver may have got the message all the same."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a receiver answered: the status, and the beginning of the body."""

    status: int
    excerpt: str


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send ``body`` to ``url`` and return the answer, whatever its status.

    Raises:
        CallFailed: the address is refused, or there is no answer in time.
    """
    deadline = time.monotonic() + WHOLE_SECONDS
    try:
        address = read_address(url)
        backend = _CheckedBackend(address, deadline)
        tls = _tls() if address.scheme == "https" else None
        with httpcore.ConnectionPool(ssl_context=tls, network_backend=backend) as pool:
            return _post(pool, address, body, headers)
    except _EXPECTED as error:
        raise CallFailed(_code_of(error)) from error


def _post(
    pool: httpcore.ConnectionPool,
    address: OutgoingAddress,
    body: bytes,
    headers: Mapping[str, str],
) -> Answer:
    sent = [("Host", address.place), ("Connection", "close"), *headers.items()]
    timeouts = {"connect": CONNECT_SECONDS}
    with pool.stream(
        "POST", address.url, headers=sent, content=body, extensions={"timeout": timeouts}
    ) as response:
        return Answer(status=response.status, excerpt=_excerpt(response))


def _excerpt(response: httpcore.Response) -> str:
    """Return the beginning of the body, as much of it as comes in time."""
    found = b""
    with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        for part in response.iter_stream():
            found += part[: EXCERPT_BYTES - len(found)]
            if len(found) >= EXCERPT_BYTES:
                break
    # PostgreSQL stores no NUL.
    return found.decode("utf-8", errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def _code_of(error: Exception) -> str:
    if isinstance(error, AddressRefused):
        return error.code
    # The pool takes away what the error was raised from.
    if isinstance(error.__context__, ssl.SSLError):
        return "tls_failed"
    return next(code for kind, code in _FAILURES.items() if isinstance(error, kind))


def _tls() -> ssl.SSLContext:
    """Return this thread's settings of TLS: httpcore writes to them while others would read."""
    if not hasattr(_thread, "tls"):
        _thread.tls = httpcore.default_ssl_context()
    found: ssl.SSLContext = _thread.tls
    return found


class _CheckedBackend(httpcore.SyncBackend):
    """Connects to the checked IP addresses of one host, and to nothing else."""

    def __init__(self, address: OutgoingAddress, deadline: float) -> None:
        self._address = address
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002  # the pool's word for what was checked
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first of the addresses that takes the call."""
        end = min(self._deadline, time.monotonic() + (timeout or CONNECT_SECONDS))
        failure: Exception = httpcore.ConnectTimeout()
        for ip in ip_addresses_of(self._address, seconds=_left(end)):
            try:
                stream = super().connect_tcp(ip, port, _left(end), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._deadline)
        raise failure


class _TimedStream(httpcore.NetworkStream):
    """A stream that ends at a deadline, however slowly the other side goes on."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002  # the deadline counts
        """Read what is there."""
        return self._stream.read(max_bytes, self._patience(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002  # the deadline counts
        """Write all."""
        self._stream.write(buffer, self._patience(httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Go on with TLS, the certificate checked against the name."""
        patience = min(timeout or CONNECT_SECONDS, self._patience(httpcore.ConnectTimeout))
        stream = self._stream.start_tls(ssl_context, server_hostname, patience)
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Tell of the connection."""
        return self._stream.get_extra_info(info)

    def _patience(self, late: type[Exception]) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise late
        return left


def _left(end: float) -> float:
    # A socket with no time at all would not block instead of giving up.
    return max(end - time.monotonic(), 0.001)
