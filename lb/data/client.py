"""A client's connection: its requests, each answered before the next is read."""

import asyncio
from typing import TYPE_CHECKING, Final, cast

from lb.data.allowance import client_of
from lb.data.bodies import ChunkedBody
from lb.data.exchange import Exchange
from lb.data.heads import (
    END,
    MAX_HEAD,
    MOST_REMEMBERED,
    RefusedError,
    RequestHead,
    status_line,
)
from lb.data.problems import problem
from lb.data.tls import HSTS

if TYPE_CHECKING:
    from lb.data.balancer import Balancer
    from lb.data.upstream import BackendConnection

LINGER_SECONDS: Final = 2.0
SLOWEST_BYTES: Final = 500
"""So many bytes of a body a second, at least, beside the seconds that every body has."""

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientConnection(asyncio.Protocol):
    """Reads requests strictly. What is refused is answered once, and the connection ends."""

    __slots__ = (
        *("_balancer", "_chunks", "_client", "_closing", "_exchange", "_forwarded_for", "_full"),
        *("_held", "_holding", "_left", "_paused", "_reads_body", "_tunnel"),
        *("_is_secure", "_last_head", "_last_request"),
        *(
            "_body_began_at",
            "_body_bytes",
            "_paused_at",
            "_request_id",
            "deadline",
            "has_ended",
            "transport",
        ),
    )

    transport: asyncio.Transport

    def __init__(self, balancer: "Balancer") -> None:
        self.deadline = balancer.now() + balancer.deadlines.idle_seconds
        self._balancer = balancer
        self._exchange: Exchange | None = None
        self._tunnel: BackendConnection | None = None
        self._held = b""
        self._left = 0
        self._chunks: ChunkedBody | None = None
        self._reads_body = False
        self._body_began_at = 0.0
        self._body_bytes = 0
        self._paused_at = 0.0
        self._last_head = b""
        self._last_request: RequestHead | None = None
        self.has_ended = self._closing = self._full = self._holding = self._paused = False
        self._request_id = b""

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who it is, by the socket and nothing else."""
        self.transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        address = peer[0] if isinstance(peer, tuple) else "127.0.0.1"
        self._client = client_of(address)
        shown = address.removeprefix("::ffff:").encode()
        self._is_secure = transport.get_extra_info("sslcontext") is not None
        scheme = b"https" if self._is_secure else b"http"
        self._forwarded_for = (
            b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\n%bX-Request-ID: "
            % (shown, scheme, self._balancer.introduction)
        )
        if not self._balancer.welcome(self):
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read on, whatever of a request this is."""
        if self._tunnel is not None:
            self.deadline = self._balancer.now() + self._balancer.deadlines.tunnel_seconds
            self._tunnel.transport.write(data)
        elif self._closing:
            return
        elif self._reads_body and self._exchange is not None:
            self._take_body(self._exchange, data)
        elif self._exchange is not None or self._full:
            self._wait_with(self._held + data)
        else:
            self._take_head(self._held + data)

    def eof_received(self) -> bool:
        """Answer what was asked wholly; the rest is over."""
        self.has_ended = True
        if self._is_secure:
            # A connection in TLS has no halves.
            return False
        if self._tunnel is not None:
            self._tunnel.end_request()
            return True
        if self._exchange is not None and not self._reads_body:
            return True
        return bool(self.transport.get_write_buffer_size())

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave what is under way."""
        del exc
        self._balancer.clients.discard(self)
        exchange, self._exchange = self._exchange, None
        tunnel, self._tunnel = self._tunnel, None
        if exchange is not None:
            exchange.abandon()
        if tunnel is not None:
            tunnel.close()

    def pause_writing(self) -> None:
        """Let the answer wait until the client reads."""
        self._full = True
        self.deadline = self._balancer.now() + self._balancer.deadlines.body_seconds
        if self._tunnel is not None:
            self._tunnel.transport.pause_reading()
        elif self._exchange is not None:
            self._exchange.hold_answer()

    def resume_writing(self) -> None:
        """Go on with the answer, or with the next request."""
        self._full = False
        if self._tunnel is not None:
            self._tunnel.transport.resume_reading()
        elif self._exchange is not None:
            self.deadline = self._balancer.now() + self._balancer.deadlines.backend_seconds
            self._exchange.release_answer()
        elif self._closing:
            self.deadline = self._balancer.now() + LINGER_SECONDS
        else:
            self._next()

    # requests

    def _take_head(self, data: bytes) -> None:
        end = data.find(END) + len(END)
        if end < len(END) or end > MAX_HEAD:
            if len(data) > MAX_HEAD:
                self._refuse(RefusedError(431, "the head is too long"))
                return
            if not self._held:
                self.deadline = self._balancer.now() + self._balancer.deadlines.header_seconds
            self._held = data
            return
        self._held = self._request_id = b""
        try:
            self._begin(self._request(data[:end]), data[end:])
        except RefusedError as error:
            self._refuse(error)

    def _request(self, head: bytes) -> RequestHead:
        """Read a head. Clients repeat theirs, and the same bytes mean the same."""
        if head == self._last_head and self._last_request is not None:
            return self._last_request
        request = self._balancer.parser.request(head)
        request.lines += self._forwarded_for
        if len(head) <= MOST_REMEMBERED:
            self._last_head, self._last_request = head, request
        return request

    def _begin(self, request: RequestHead, rest: bytes) -> None:
        """Send an admitted request on, unless its client has asked too much."""
        balancer = self._balancer
        now = balancer.now()
        self._request_id = request.request_id or balancer.new_id()
        payload, ended = b"", True
        if request.has_body or rest:
            self._left = request.length or 0
            self._chunks = ChunkedBody() if request.chunked else None
            self._reads_body = request.has_body
            payload, ended = self._payload(rest)
        balancer.counters.admitted += 1
        wait = balancer.allowance.wait(self._client, now)
        if wait:
            self._deny(request, wait, ended=ended)
            return
        if not ended:
            self._body_began_at, self._body_bytes = now, len(payload)
            if request.expects and not payload:
                self.transport.write(_CONTINUE)
        balancer.budget.request(now)
        self._exchange = Exchange(balancer, self, request)
        self._exchange.begin(payload, now, ended=ended)

    def _take_body(self, exchange: Exchange, data: bytes) -> None:
        try:
            payload, ended = self._payload(data)
        except RefusedError as error:
            self._exchange = None
            exchange.abandon()
            self._refuse(error)
            return
        if not ended:
            self._body_bytes += len(payload)
            self.await_body()
        exchange.add(payload, ended=ended)

    def await_body(self) -> None:
        """Give the body its time, and more the more of it has come."""
        allowed = self._balancer.deadlines.body_seconds + self._body_bytes / SLOWEST_BYTES
        self.deadline = self._body_began_at + allowed

    def _payload(self, data: bytes) -> tuple[bytes, bool]:
        """Return what of ``data`` belongs to the body, and whether it ends with it."""
        if self._chunks is not None:
            payload, rest = self._chunks.feed(data)
            ended = rest is not None
        else:
            payload, rest = data[: self._left], data[self._left :]
            self._left -= len(payload)
            ended = not self._left
        if ended:
            self._reads_body = False
            if rest:
                self._wait_with(rest)
        return payload, ended

    def _wait_with(self, data: bytes) -> None:
        """Keep the next request until this one is answered."""
        self._held = data
        self._holding = True
        self._read_or_not()

    def _next(self) -> None:
        """Take the request that waits."""
        if self._exchange is not None or self._closing or self._full:
            return
        data, self._held = self._held, b""
        self._holding = False
        self._read_or_not()
        if data:
            self._take_head(data)
        if self.has_ended and self._exchange is None and not self._held:
            self.transport.close()

    def hold(self) -> None:
        """Read nothing more of the body for now; the time is the backend's."""
        if not self._paused:
            self._paused = True
            self._paused_at = self._balancer.now()
            self._read_or_not()

    def release(self) -> None:
        """Read on."""
        if self._paused:
            self._paused = False
            self._body_began_at += self._balancer.now() - self._paused_at
            self._read_or_not()

    def _read_or_not(self) -> None:
        if self.transport.is_closing():
            return
        if self._paused or self._holding:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    # answers

    def forwarded(self, request: RequestHead) -> bytes:
        """Return the head that the backend gets."""
        return b"%b%b\r\n\r\n" % (request.lines, self._request_id)

    def answer(self, status: int, data: bytes, now: float) -> None:
        """Send the head of an answer, and what of the body is there."""
        self._balancer.counters.answers[status] += 1
        self.continue_answer(data, now)

    def continue_answer(self, data: bytes, now: float) -> None:
        """Send more of the body."""
        self.transport.write(data)
        if not self._full:
            self.deadline = now + self._balancer.deadlines.backend_seconds

    def answer_ended(self, now: float, *, closes: bool) -> None:
        """Wait for the next request, or end."""
        self._exchange = None
        if closes or self._reads_body:
            self._close()
            return
        deadlines = self._balancer.deadlines
        seconds = deadlines.body_seconds if self._full else deadlines.idle_seconds
        self.deadline = now + seconds
        if self._paused:
            self.release()
        if self._held or self.has_ended or self._holding:
            # Not now: many short requests in a row would nest as deep.
            asyncio.get_running_loop().call_soon(self._next)

    def answer_error(
        self, status: int, detail: str, code: str, *, closes: bool, wait: float = 1.0
    ) -> None:
        """Answer in the bank's form of problems, and log it: no backend does."""
        balancer, line = self._balancer, status_line(status)
        self._request_id = self._request_id or balancer.new_id()
        balancer.own_answers.made(status, code, self._request_id, now=balancer.now())
        body = problem(status, detail, code, self._request_id.decode())
        retry = b"Retry-After: %d\r\n" % max(1, round(wait)) if status in (429, 503) else b""
        closing = b"Connection: close\r\n" if closes else b""
        head = b"Content-Type: application/problem+json\r\nCache-Control: no-store\r\n"
        secure = HSTS if self._is_secure else b""
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        if self._exchange is not None and self._exchange.request.method == "HEAD":
            body = b""
        whole = b"".join((line, head, secure, retry, closing, length, body))
        self.answer(status, whole, balancer.now())

    def open_tunnel(self, connection: "BackendConnection") -> None:
        """Pass on whatever comes from now on."""
        self._exchange = None
        self._tunnel = connection
        self.deadline = self._balancer.now() + self._balancer.deadlines.tunnel_seconds
        data, self._held = self._held, b""
        if data:
            connection.transport.write(data)
        self._paused = self._holding = False
        self._read_or_not()

    def pass_on(self, data: bytes) -> None:
        """Send what came through the tunnel."""
        self.transport.write(data)
        self.deadline = self._balancer.now() + self._balancer.deadlines.tunnel_seconds

    def end_answer(self) -> None:
        """Say no more: this half ends, or all of a connection in TLS."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    # ends

    def overdue(self) -> None:
        """End what takes too long."""
        if self._closing or self._full or self._tunnel is not None:
            self.transport.abort()
        elif self._exchange is not None and (self._paused or not self._reads_body):
            self._exchange.overdue()
        elif self._exchange is not None:
            exchange, self._exchange = self._exchange, None
            exchange.abandon()
            self._refuse(RefusedError(408, "the body came too slowly"))
        elif self._held:
            self._refuse(RefusedError(408, "the head came too slowly"))
        else:
            self.transport.close()

    def close_if_idle(self) -> None:
        """End, unless something is under way."""
        if self._exchange is None and self._tunnel is None and not self._held:
            self.transport.close()

    def _refuse(self, error: RefusedError) -> None:
        self._balancer.counters.refuse(error.status)
        self.answer_error(error.status, f"Refused: {error.reason}.", "refused", closes=True)
        self._close()

    def _deny(self, request: RequestHead, wait: float, *, ended: bool) -> None:
        closes = request.close or not ended
        self._balancer.counters.denied += 1
        self.answer_error(429, "Too many requests.", "too_many_requests", closes=closes, wait=wait)
        self.answer_ended(self._balancer.now(), closes=closes)

    def _close(self) -> None:
        """Say no more, and hear the client out: a reset would take the answer back."""
        self._closing = True
        self._held = b""
        self._holding = self._paused = False
        unsent = self.transport.get_write_buffer_size()
        seconds = self._balancer.deadlines.body_seconds if unsent else LINGER_SECONDS
        self.deadline = self._balancer.now() + seconds
        if self.has_ended or self.transport.is_closing():
            self.transport.close()
            return
        self._read_or_not()
        self.end_answer()
