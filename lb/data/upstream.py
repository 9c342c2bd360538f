"""A connection to a backend: it carries one request at a time, and waits for the next."""

import asyncio
from typing import TYPE_CHECKING, Final, cast

from lb.data.bodies import ChunkedBody
from lb.data.heads import END, MAX_HEAD, MOST_REMEMBERED, HeadParser, RefusedError, ResponseHead

if TYPE_CHECKING:
    from lb.data.client import ClientConnection
    from lb.data.exchange import Exchange
    from lb.data.fleet import Member

_SWITCHING: Final = 101
_FIRST_FINAL: Final = 200
_MOST_EARLY: Final = 8
"""So many answers that announce another are passed over."""


class _Unconnected(asyncio.Transport):
    """What a connection has before it is one."""

    def is_closing(self) -> bool:
        return True

    def abort(self) -> None:
        pass


class BackendConnection(asyncio.Protocol):
    """Reads answers strictly. What comes unasked, or is no HTTP, ends it."""

    __slots__ = (
        *("_last_head", "_last_response"),
        *("_chunks", "_closes", "_early", "_exchange", "_has_ended", "_held", "_left"),
        *(
            "_parser",
            "_reads_body",
            "_tunnel",
            "idle_at",
            "is_heard",
            "is_reused",
            "member",
            "transport",
        ),
    )

    def __init__(self, member: "Member", parser: HeadParser) -> None:
        self.transport: asyncio.Transport = _Unconnected()
        self.member = member
        self.idle_at = 0.0
        self.is_reused = False
        self.is_heard = False
        self._parser = parser
        self._last_head = b""
        self._last_response: ResponseHead | None = None
        self._exchange: Exchange | None = None
        self._tunnel: ClientConnection | None = None
        self._held = b""
        self._early = 0
        self._closes = False
        self._has_ended = False
        self._reads_body = False
        self._left: int | None = None
        self._chunks: ChunkedBody | None = None

    def carry(self, exchange: "Exchange", data: bytes) -> None:
        """Send a request."""
        self._exchange = exchange
        self.is_heard = False
        self.transport.write(data)

    def tunnel_to(self, client: "ClientConnection") -> None:
        """Pass on whatever comes from now on."""
        self._exchange = None
        self._tunnel = client
        rest, self._held = self._held, b""
        if rest:
            client.transport.write(rest)

    def end_request(self) -> None:
        """Say no more through the tunnel: this half ends, or all of it as the last one."""
        if self._has_ended:
            self.transport.close()
        else:
            self.transport.write_eof()

    def is_open(self) -> bool:
        """Tell whether it can carry anything."""
        return not self.transport.is_closing()

    def close(self) -> None:
        """Give it up at once, whatever it carries."""
        self._exchange = self._tunnel = None
        self.transport.abort()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read an answer on."""
        if self._tunnel is not None:
            self._tunnel.pass_on(data)
            return
        if self._exchange is None:
            self._leave()
            return
        self.is_heard = True
        try:
            if self._reads_body:
                self._take_body(self._exchange, data)
            else:
                self._take_head(self._exchange, self._held + data)
        except RefusedError as error:
            self._break(error.reason)

    def eof_received(self) -> bool:
        """Pass the end of a tunnel's half on; anything else that ends is over."""
        if self._tunnel is None or self._tunnel.has_ended:
            return False
        self._has_ended = True
        self._tunnel.end_answer()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever waits. An answer without length ends so, unless the network broke it."""
        exchange, self._exchange = self._exchange, None
        tunnel, self._tunnel = self._tunnel, None
        if tunnel is not None:
            tunnel.transport.close()
        elif exchange is None:
            self._leave()
        elif exc is None and self._reads_body and self._left is None and self._chunks is None:
            exchange.pass_on(b"", exchange.now(), ended=True)
        else:
            exchange.lost(self, "the backend's connection broke")

    def pause_writing(self) -> None:
        """Let the client wait until the backend has read what there is."""
        if self._tunnel is not None:
            self._tunnel.transport.pause_reading()
        elif self._exchange is not None:
            self._exchange.hold_request()

    def resume_writing(self) -> None:
        """Let the client go on."""
        if self._tunnel is not None:
            self._tunnel.transport.resume_reading()
        elif self._exchange is not None:
            self._exchange.release_request()

    # an answer

    def _take_head(self, exchange: "Exchange", data: bytes) -> None:
        end = data.find(END)
        if end < 0 or end + len(END) > MAX_HEAD:
            self._held = data
            if len(data) > MAX_HEAD:
                raise RefusedError(502, "the head of the answer is too long")
            return
        self._held = b""
        response = self._response(data[: end + len(END)])
        rest = data[end + len(END) :]
        if response.status == _SWITCHING:
            self._held = rest
            exchange.switched(self, response)
        elif response.status < _FIRST_FINAL:
            self._pass_over(exchange, rest)
        else:
            self._frame(exchange, response, rest)

    def _response(self, head: bytes) -> ResponseHead:
        """Read a head. Backends repeat theirs, and the same bytes mean the same."""
        if head == self._last_head and self._last_response is not None:
            return self._last_response
        response = self._parser.response(head)
        if len(head) <= MOST_REMEMBERED:
            self._last_head, self._last_response = head, response
        return response

    def _pass_over(self, exchange: "Exchange", rest: bytes) -> None:
        self._early += 1
        if self._early > _MOST_EARLY:
            raise RefusedError(502, "the answer is announced too often")
        if rest:
            self._take_head(exchange, rest)

    def _frame(self, exchange: "Exchange", response: ResponseHead, rest: bytes) -> None:
        """Find where the answer ends."""
        if exchange.request.method == "HEAD" or response.is_bodiless:
            if response.length and response.status == 204:  # noqa: PLR2004  # No Content
                raise RefusedError(502, "a body where none belongs")
            self._left = 0
        elif response.chunked:
            self._chunks = ChunkedBody()
        else:
            self._left = response.length
        self._reads_body = True
        self._closes = response.close
        payload, ended = self._payload(rest)
        now = exchange.now()
        if ended:
            self._settle(exchange, now)
        exchange.answered(self, response, payload, now, ended=ended)

    def _take_body(self, exchange: "Exchange", data: bytes) -> None:
        payload, ended = self._payload(data)
        now = exchange.now()
        if ended:
            self._settle(exchange, now)
        exchange.pass_on(payload, now, ended=ended)

    def _payload(self, data: bytes) -> tuple[bytes, bool]:
        """Return what of ``data`` belongs to the body, and whether it ends with it."""
        if self._chunks is not None:
            payload, rest = self._chunks.feed(data)
            self._held = rest or b""
            return payload, rest is not None
        if self._left is None:
            return data, False
        self._held = data[self._left :]
        payload = data[: self._left] if self._held else data
        self._left -= len(payload)
        return payload, not self._left

    def _settle(self, exchange: "Exchange", now: float) -> None:
        """Wait for the next request, when nothing came that was not asked for."""
        self._exchange = None
        if self._held:
            exchange.closes = True
        if self._held or self._closes or not exchange.is_sent or self.member.draining:
            self.transport.abort()
            return
        self._early = 0
        self._reads_body = False
        self._left = self._chunks = None
        self.is_reused = True
        self.idle_at = now
        self.member.idle.append(self)

    def _break(self, reason: str) -> None:
        exchange, self._exchange = self._exchange, None
        self.transport.abort()
        if exchange is not None:
            exchange.lost(self, reason)

    def _leave(self) -> None:
        if self in self.member.idle:
            self.member.idle.remove(self)
        self.transport.abort()
