"""Open-loop load: requests come when they come, however long others take.

Seconds count from when a request was due, so that what stalls is seen whole.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final, cast

import uvloop

_REQUEST: Final = b"GET /accounts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_END: Final = b"\r\n\r\n"
_PATIENCE_SECONDS: Final = 30.0
_GOOD: Final = b"200"


@dataclass
class Outcome:
    """What came of a load."""

    waits: list[float] = field(default_factory=list)
    failed: int = 0
    by_backend: Counter[str] = field(default_factory=Counter)

    def percentile(self, part: float) -> float:
        """Return the seconds within which this part of the good answers came."""
        waits = sorted(self.waits)
        return waits[min(int(part * len(waits)), len(waits) - 1)]

    @property
    def failed_percent(self) -> float:
        """Return how many of a hundred requests failed."""
        return 100 * self.failed / max(1, self.failed + len(self.waits))


class _Connection(asyncio.Protocol):
    """Carries one request at a time."""

    def __init__(self, load: "_Load") -> None:
        self._load = load
        self._due: float | None = None
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def ask(self, due: float) -> None:
        self._due = due
        self.transport.write(_REQUEST)

    def data_received(self, data: bytes) -> None:
        self._held += data
        head, end, body = self._held.partition(_END)
        if not end or len(body) < _length(head) or self._due is None:
            return
        due, self._due, self._held = self._due, None, b""
        self._load.answered(self, head, due)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._load.lost(self, under_way=self._due is not None)


class _Load:
    def __init__(self, port: int) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._free: list[_Connection] = []
        self._open: set[_Connection] = set()
        self.under_way = 0
        self.outcome = Outcome()

    async def run(self, rate: float, seconds: float) -> Outcome:
        """Send at moments that the dice say, so many a second."""
        dice, due = Random(), self._loop.time()
        until = due + seconds
        asking = set()
        while due < until:
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            task = self._loop.create_task(self._ask(due))
            asking.add(task)
            task.add_done_callback(asking.discard)
            due += dice.expovariate(rate)
        patience = self._loop.time() + _PATIENCE_SECONDS
        while self.under_way and self._loop.time() < patience:  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.01)
        self.outcome.failed += self.under_way
        for connection in list(self._open):
            connection.transport.abort()
        return self.outcome

    async def _ask(self, due: float) -> None:
        self.under_way += 1
        if self._free:
            self._free.pop().ask(due)
            return
        try:
            _, connection = await self._loop.create_connection(
                lambda: _Connection(self), "127.0.0.1", self._port
            )
        except OSError:
            self.under_way -= 1
            self.outcome.failed += 1
            return
        self._open.add(connection)
        connection.ask(due)

    def answered(self, connection: _Connection, head: bytes, due: float) -> None:
        self.under_way -= 1
        if head[9:12] == _GOOD:
            self.outcome.waits.append(self._loop.time() - due)
        else:
            self.outcome.failed += 1
        backend = head.lower().partition(b"\r\nx-backend: ")[2].partition(b"\r\n")[0]
        self.outcome.by_backend[backend.decode()] += 1
        self._free.append(connection)

    def lost(self, connection: _Connection, *, under_way: bool) -> None:
        self._open.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        if under_way:
            self.under_way -= 1
            self.outcome.failed += 1


def open_load(port: int, *, rate: float, seconds: float) -> Outcome:
    """Send so many requests a second for so long, and return what came of them."""

    async def run() -> Outcome:
        return await _Load(port).run(rate, seconds)

    return uvloop.run(run())


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"\r\ncontent-length: ")[2].partition(b"\r\n")[0] or 0)
