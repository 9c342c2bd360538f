"""Four backends in one process, that sleep and burn nothing: what balancers are measured with.

Each has so many workers and a queue. ``/mode/…`` tells one how it does from now on; ``/health`` is
always well. Run with the ports as arguments.
"""

import asyncio
import sys
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Final, cast

import uvloop

WORKERS: Final = 4
MEDIAN_SECONDS: Final = 0.010
_SPREAD: Final = 0.3
_FAILING_SECONDS: Final = 0.0005
_FACTORS: Final = {"slower": 3, "slow": 10}
_BODY: Final = b'{"balance": "1234.50"}'
_END: Final = b"\r\n\r\n"


@dataclass
class Backend:
    """Workers that sleep, and requests that wait for them."""

    name: str
    mode: str = "usual"
    dice: Random = field(default_factory=Random)
    busy: int = 0
    waiting: deque["Connection"] = field(default_factory=deque)

    def take(self, connection: "Connection") -> None:
        """Work on a request, now or when a worker is free."""
        if self.mode == "quick":
            connection.answer(b"200 OK", _BODY)
        elif self.mode == "failing":
            asyncio.get_running_loop().call_later(
                _FAILING_SECONDS, connection.answer, b"500 Internal Server Error", b"{}"
            )
        elif self.busy < WORKERS and self.mode != "frozen":
            self._work(connection)
        else:
            self.waiting.append(connection)

    def go_on(self, mode: str) -> None:
        """Do otherwise from now on; whoever was frozen takes up what waits."""
        self.mode = mode
        while self.waiting and self.busy < WORKERS and mode != "frozen":
            self._work(self.waiting.popleft())

    def _work(self, connection: "Connection") -> None:
        self.busy += 1
        factor = _FACTORS.get(self.mode, 1)
        seconds = MEDIAN_SECONDS * factor * self.dice.lognormvariate(0, _SPREAD)
        asyncio.get_running_loop().call_later(seconds, self._done, connection)

    def _done(self, connection: "Connection") -> None:
        self.busy -= 1
        connection.answer(b"200 OK", _BODY)
        self.go_on(self.mode)


class Connection(asyncio.Protocol):
    """Reads requests without a body."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take the requests that are there."""
        self._held += data
        while _END in self._held:
            head, _, self._held = self._held.partition(_END)
            path = head.split(b" ", 2)[1]
            if path.startswith(b"/mode/"):
                self._backend.go_on(path.removeprefix(b"/mode/").decode())
                self.answer(b"200 OK", b"")
            elif path == b"/health":
                self.answer(b"200 OK", b"")
            else:
                self._backend.take(self)

    def answer(self, status: bytes, body: bytes) -> None:
        """Answer, and tell who does."""
        self._transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nX-Backend: %b\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (status, self._backend.name.encode(), len(body), body)
        )


async def _serve(ports: list[int]) -> None:
    loop = asyncio.get_running_loop()
    for place, port in enumerate(ports):
        backend = Backend(f"b{place}")
        await loop.create_server(
            lambda backend=backend: Connection(backend),  # type: ignore[misc]
            "127.0.0.1",
            port,
            backlog=1024,
        )
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve([int(port) for port in sys.argv[1:]]))
