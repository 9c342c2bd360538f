"""HTTP load from one process: each connection sends the next request when it has the last answer.

It parses no more than it must, so that most of the machine is left to what is measured.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, cast

NextRequest = Callable[[int], bytes]
"""Returns the bytes of the next request of a connection, by its number."""

_GOOD: Final = (b"200", b"201")


@dataclass
class Load:
    """What came of a load: seconds of each answer, and how long all of it took."""

    seconds: float
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.waits) / self.seconds

    def percentile(self, part: float) -> float:
        """Return the seconds within which this part of the answers came."""
        return sorted(self.waits)[min(int(part * len(self.waits)), len(self.waits) - 1)]


class _Connection(asyncio.Protocol):
    """One connection that stays open."""

    def __init__(self, number: int, following: NextRequest, load: Load, until: float) -> None:
        self._number = number
        self._following = following
        self._load = load
        self._until = until
        self._received = b""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Note the answer when all of it is there, and send the next request."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        self._load.waits.append(time.perf_counter() - self._sent_at)
        if head[9:12] not in _GOOD:
            self._fail(f"answered {(head + body)[:600].decode(errors='replace')}")
        elif time.perf_counter() < self._until:
            self._received = b""
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; before the time is over that is the server's fault."""
        if self.over.done():
            return
        if exc is not None or time.perf_counter() < self._until:
            self._fail(f"the server hung up: {exc}")
        else:
            self.over.set_result(None)

    def _send(self) -> None:
        request = self._following(self._number)
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def _fail(self, why: str) -> None:
        self.over.set_exception(RuntimeError(why))
        self._transport.close()


def run_load(port: int, following: NextRequest, *, connections: int, seconds: float) -> Load:
    """Load a server of this machine and return what came of it.

    Raises:
        RuntimeError: an answer is not good, or the server hangs up.
    """
    return asyncio.run(_run(port, following, connections, seconds))


async def _run(port: int, following: NextRequest, connections: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    load = Load(seconds)
    made = []
    for number in range(connections):
        connection = partial(_Connection, number, following, load, began + seconds)
        made.append(loop.create_connection(connection, "127.0.0.1", port))
    protocols = [protocol for _transport, protocol in await asyncio.gather(*made)]
    await asyncio.gather(*(protocol.over for protocol in protocols))
    load.seconds = time.perf_counter() - began
    return load


def _length(head: bytes) -> int:
    _name, _, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if rest else 0
