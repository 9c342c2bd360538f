"""The port of those who watch: /metrics for Prometheus, /health for whoever starts processes."""

import asyncio
from typing import TYPE_CHECKING, Final, cast

from lb.data.counters import metrics
from lb.data.heads import END, MAX_HEAD, HeadParser, RefusedError, status_line

if TYPE_CHECKING:
    from lb.data.balancer import Balancer

_PATIENCE_SECONDS: Final = 5.0


class MonitorConnection(asyncio.Protocol):
    """Answers one GET, and ends."""

    def __init__(self, balancer: "Balancer") -> None:
        self._balancer = balancer
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give it a moment."""
        self._transport = cast("asyncio.Transport", transport)
        self._late = asyncio.get_running_loop().call_later(_PATIENCE_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        del exc
        self._late.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer when the head is there."""
        self._held += data
        if END not in self._held and len(self._held) <= MAX_HEAD:
            return
        try:
            request = HeadParser().request(self._held)
            status, body = self._answer(request.method, request.lines.split(b" ", 2)[1])
        except RefusedError as error:
            status, body = error.status, b""
        head = b"Content-Type: text/plain; version=0.0.4\r\nConnection: close\r\n"
        length = b"Content-Length: %d\r\n\r\n" % len(body)
        self._transport.write(b"".join((status_line(status), head, length, body)))
        self._transport.close()

    def _answer(self, method: str, target: bytes) -> tuple[int, bytes]:
        if method != "GET":
            return 405, b""
        if target == b"/metrics":
            return 200, metrics(self._balancer)
        if target == b"/health":
            serves = self._balancer.fleet.version and not self._balancer.draining
            return (200, b"serving\n") if serves else (503, b"not serving\n")
        return 404, b""
