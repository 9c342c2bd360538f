"""A proxy in front of one PostgreSQL server that reads what passes and does harm to it on demand.

It runs on a thread of its own; every public method may be called from any thread and has taken
effect when it returns. What a black hole holds back is delivered late, as TCP would, when it heals.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from tests.faults._wire import (
    ENCRYPTION_REQUEST,
    ENDS_A_TURN,
    HEAD,
    NO_ENCRYPTION,
    READY,
    SSL_REQUEST,
    Conversation,
    Statement,
    application_of,
)

_LOCALHOST: Final = "127.0.0.1"
_PATIENCE_SECONDS: Final = 10
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_ENDINGS: Final = (OSError, asyncio.IncompleteReadError)


class Moment(StrEnum):
    """Where a cut falls: the server never hears the statement, or the client never the answer."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, eq=False, kw_only=True)
class Cut:
    """A connection to be cut, once, at a statement; ``made`` is set when it was.

    ``application`` limits it to clients of that name.
    """

    statement: Statement
    moment: Moment
    application: str | None = None
    made: threading.Event = field(default_factory=threading.Event)

    def strikes(self, meant: Iterable[Statement], application: str) -> bool:
        """Tell whether the cut falls on this message of this client."""
        return self.statement in meant and self.application in {None, application}


class Proxy:
    """Passes everything to the server until told otherwise. A context manager."""

    def __init__(self, *, server_port: int, port: int = 0) -> None:
        """Prepare; without a ``port`` it is any free one, known once it runs."""
        self.server_port = server_port
        self.port = port
        self.open = asyncio.Event()
        self.delay = 0.0
        self._is_refusing = False
        self._cuts: list[Cut] = []
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(_PATIENCE_SECONDS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End every connection, and listen no more."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(_PATIENCE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop.close()

    def heal(self) -> None:
        """Pass everything from now on, what was held back included, and forget cuts not made."""
        self._now(self._heal)

    def slow_down(self, seconds: float) -> None:
        """Let every question and every answer take ``seconds`` longer."""
        self._now(lambda: setattr(self, "delay", seconds))

    def swallow(self) -> None:
        """Be a black hole: connections stay, new ones are taken, and nothing gets through."""
        self._now(self.open.clear)

    def reset(self) -> None:
        """Reset every connection and each new one until healed."""
        self._now(self._reset)

    def cut(self, cut: Cut) -> None:
        """Cut the first connection on which the statement comes by."""
        self._now(lambda: self._cuts.append(cut))

    def take_cut(self, meant: frozenset[Statement], application: str) -> Cut | None:
        """Return the cut that falls on this message, if any; it falls no more."""
        found = next((cut for cut in self._cuts if cut.strikes(meant, application)), None)
        if found is not None:
            self._cuts.remove(found)
        return found

    def _now(self, change: Callable[[], object]) -> None:
        async def apply() -> None:
            change()

        asyncio.run_coroutine_threadsafe(apply(), self._loop).result(_PATIENCE_SECONDS)

    def _heal(self) -> None:
        self.delay = 0.0
        self._is_refusing = False
        self._cuts.clear()
        self.open.set()

    def _reset(self) -> None:
        self._is_refusing = True
        for connection in self._connections:
            connection.reset()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._welcome, _LOCALHOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self.open.set()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer)
        if self._is_refusing:
            connection.reset()
            return
        task = asyncio.current_task()
        if task is None:
            raise AssertionError
        self._tasks.add(task)
        self._connections.add(connection)
        try:
            await connection.run()
        except _ENDINGS:
            pass
        finally:
            self._connections.discard(connection)
            connection.close()
            self._tasks.discard(task)

    async def _close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Connection:
    """One client's connection and the one to the server that goes with it."""

    def __init__(
        self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._proxy = proxy
        self._from_client = reader
        self._to_client = writer
        self._writers = [writer]
        self._conversation = Conversation()
        self._application = ""
        self._swallowing: Cut | None = None

    async def run(self) -> None:
        """Pass messages on until one side ends, or a cut does."""
        startup = await self._read_startup()
        from_server, self._to_server = await asyncio.open_connection(
            _LOCALHOST, self._proxy.server_port
        )
        self._writers.append(self._to_server)
        await self._send(self._to_server, startup)
        self._application = application_of(startup[8:])
        pumps = [
            asyncio.ensure_future(self._pump_questions()),
            asyncio.ensure_future(self._pump_answers(from_server)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            # An end is news, too: in a black hole nobody hears of it.
            await self._proxy.open.wait()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    def reset(self) -> None:
        """End both sides at once, with RST."""
        for writer in self._writers:
            end: socket.socket = writer.get_extra_info("socket")
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()

    def close(self) -> None:
        """End both sides; what was sent before still arrives."""
        for writer in self._writers:
            writer.close()

    async def _read_startup(self) -> bytes:
        """Return the first message that goes to the server. Encryption, unreadable, is declined."""
        while True:
            size = await self._from_client.readexactly(4)
            rest = await self._from_client.readexactly(int.from_bytes(size) - 4)
            await self._proxy.open.wait()
            if int.from_bytes(rest[:4]) not in {SSL_REQUEST, ENCRYPTION_REQUEST}:
                return size + rest
            await self._send(self._to_client, NO_ENCRYPTION)

    async def _pump_questions(self) -> None:
        while True:
            head, payload = await _read_message(self._from_client)
            await self._wait(turns=head[:1] in ENDS_A_TURN)
            meant = self._conversation.heard(head[:1], payload)
            cut = self._proxy.take_cut(meant, self._application)
            if cut is not None and cut.moment is Moment.BEFORE:
                cut.made.set()
                return
            self._swallowing = self._swallowing or cut
            await self._send(self._to_server, head + payload)

    async def _pump_answers(self, from_server: asyncio.StreamReader) -> None:
        while True:
            head, payload = await _read_message(from_server)
            await self._wait(turns=head[:1] == READY)
            if self._swallowing is None:
                await self._send(self._to_client, head + payload)
            elif head[:1] == READY:
                self._swallowing.made.set()
                return

    async def _wait(self, *, turns: bool) -> None:
        """Wait as long as the network takes."""
        if turns and self._proxy.delay:
            await asyncio.sleep(self._proxy.delay)
        await self._proxy.open.wait()

    async def _send(self, writer: asyncio.StreamWriter, message: bytes) -> None:
        writer.write(message)
        await writer.drain()


async def _read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readexactly(HEAD)
    payload = await reader.readexactly(int.from_bytes(head[1:]) - 4)
    return head, payload
