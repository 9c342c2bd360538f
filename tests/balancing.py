"""A balancer with backends that record what reaches them, all in the test's own process."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from os import close
from typing import Any, Final, TypeVar

import uvloop

from lb.data.allowance import Allowance, shared_memory
from lb.data.balancer import Balancer
from lb.data.client import ClientConnection
from lb.snapshot import Backend, Check, RateLimit, Snapshot

Found = TypeVar("Found")
PATIENCE: Final = 20.0
_QUICK_TURNS: Final = 100
_HEAD: Final = re.compile(
    rb"([A-Z]+) (/[!-~]*) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+.^`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*\r\n)+)\r\n"
)


@dataclass(frozen=True)
class Seen:
    """A request that reached a backend whole."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    body: bytes

    def values(self, name: str) -> list[str]:
        """Return what is said under a name, in any case."""
        return [value for found, value in self.fields if found.lower() == name.lower()]


Answer = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


async def well(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Answer with what was asked for."""
    body = f"{seen.method} {seen.target} {len(seen.body)}".encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nX-Seen: {seen.target}\r\n\r\n"
    writer.write(head.encode() + (b"" if seen.method == "HEAD" else body))


def saying(raw: bytes, *, closes: bool = False) -> Answer:
    """Answer with these bytes, whatever they are."""

    async def answer(seen: Seen, writer: asyncio.StreamWriter) -> None:
        del seen
        writer.write(raw)
        if closes:
            await writer.drain()
            writer.close()

    return answer


async def silent(seen: Seen, writer: asyncio.StreamWriter) -> None:
    """Take the request, and never answer."""


@dataclass
class RecordingBackend:
    """Reads by a grammar of its own, and notes as a fault what the balancer may never send."""

    answer: Answer = well
    health: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    seen: list[Seen] = field(default_factory=list)
    heads: int = 0
    connections: int = 0
    faults: list[bytes] = field(default_factory=list)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read requests until the connection ends."""
        self.connections += 1
        self.writers.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except asyncio.LimitOverrunError:
            self.faults.append(b"a head without end")
        finally:
            self.writers.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        found = _HEAD.fullmatch(head)
        if found is None:
            self.faults.append(head)
            return False
        if found[2] == b"/health":
            writer.write(self.health)
            return False
        self.heads += 1
        lines = [line.partition(b": ") for line in found[3].split(b"\r\n")[:-1]]
        fields = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, _, value in lines
        )
        seen = Seen(found[1].decode(), found[2].decode(), fields, b"")
        seen = replace(seen, body=await self._body(seen, reader))
        self.seen.append(seen)
        await self.answer(seen, writer)
        return not writer.is_closing()

    async def _body(self, seen: Seen, reader: asyncio.StreamReader) -> bytes:
        lengths, codings = seen.values("content-length"), seen.values("transfer-encoding")
        if len(lengths) + len(codings) > 1 or (codings and codings != ["chunked"]):
            self.faults.append(repr(seen).encode())
        if lengths:
            return await reader.readexactly(int(lengths[0]))
        body = b""
        while codings:
            size = int((await reader.readuntil(b"\r\n"))[:-2], 16)
            body += (await reader.readexactly(size + 2))[:-2]
            if not size:
                break
        return body


@dataclass
class Laboratory:
    """A balancer, and what is before and behind it."""

    balancer: Balancer
    backends: list[RecordingBackend]
    servers: list[asyncio.Server]
    port: int

    @property
    def seen(self) -> list[Seen]:
        """Return what reached any backend, whole."""
        return [one for backend in self.backends for one in backend.seen]

    async def say(self, *pieces: bytes, ends: bool = True) -> bytes:
        """Say this on a connection of its own, and return all that comes until it ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0 if len(pieces) == 1 else 0.003)
            if ends:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(-1), PATIENCE)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become so."""
        turns = count()
        async with asyncio.timeout(PATIENCE):
            while not true():  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0 if next(turns) < _QUICK_TURNS else 0.005)

    def prove_nothing_is_left(self) -> None:
        """Hold that no request is counted as under way when none is."""
        for member in self.balancer.fleet.members.values():
            assert member.load.in_flight == 0, member.backend


def on_loop(work: Coroutine[Any, Any, Found]) -> Found:
    """Run to the end, in time, on the loop that the balancer has."""

    async def in_time() -> Found:
        async with asyncio.timeout(3 * PATIENCE):
            return await work

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(in_time())


@asynccontextmanager
async def laboratory(
    *answers: Answer, secret: str | None = None, **given: object
) -> AsyncIterator[Laboratory]:
    """Run a balancer before one backend for each way to answer."""
    loop = asyncio.get_running_loop()
    backends = [RecordingBackend(answer) for answer in answers or (well,)]
    servers = [await _serve(backend) for backend in backends]
    balancer = Balancer(loop.time, allowance(), secret)
    balancer.rule(snapshot(backends, **given))
    keeping = loop.create_task(balancer.keep_time())
    front = await loop.create_server(lambda: ClientConnection(balancer), "127.0.0.1", 0)
    try:
        yield Laboratory(balancer, backends, servers, front.sockets[0].getsockname()[1])
    finally:
        keeping.cancel()
        balancer.stop()
        for client in list(balancer.clients):
            client.transport.abort()
        for server in (front, *servers):
            server.close()
        for backend in backends:
            for writer in backend.writers:
                writer.transport.abort()
        await asyncio.sleep(0.01)


def snapshot(backends: Sequence[RecordingBackend], **given: object) -> Snapshot:
    """Return the snapshot that names them, checked rarely unless ``given`` says more."""
    found = Snapshot(
        version=1,
        backends=tuple(
            Backend(name=f"b{place}", host="127.0.0.1", port=backend.port)
            for place, backend in enumerate(backends)
        ),
        check=Check(interval_seconds=600, timeout_seconds=5),
    )
    return replace(found, **given)  # type: ignore[arg-type]  # fields of a snapshot


def allowance(limit: RateLimit | None = None) -> Allowance:
    """Return an allowance that no other process shares."""
    memory = shared_memory()
    try:
        return Allowance(limit, memory)
    finally:
        close(memory)


async def _serve(backend: RecordingBackend) -> asyncio.Server:
    server = await asyncio.start_server(backend.serve, "127.0.0.1", 0, limit=2**17)
    backend.port = server.sockets[0].getsockname()[1]
    return server


def statuses(answers: bytes) -> list[int]:
    """Return the statuses of answers in a row, each read by its own length."""
    found = []
    while answers:
        head, end, answers = answers.partition(b"\r\n\r\n")
        assert end, f"an answer breaks off: {head!r}"
        found.append(int(head[9:12]))
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        bodiless = head[9:12] in (b"204", b"304")
        answers = answers[int(length[1]) :] if length and not bodiless else answers
    return found
