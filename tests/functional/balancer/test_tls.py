"""TLS at the balancer: what is spoken, and certificates that are renewed under open connections."""

import asyncio
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lb.data.__main__ import main
from lb.data.client import ClientConnection
from lb.data.tls import Door
from tests.balancing import Laboratory, laboratory, on_loop, saying, silent, well
from tests.certificates import Authority, Files

GET = b"GET /accounts HTTP/1.1\r\nHost: bank.example\r\n\r\n"
MEGABYTES = 8 * 2**20


@dataclass
class Secured:
    """A balancer that speaks TLS, and whom its clients believe."""

    lab: Laboratory
    port: int
    files: Files

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.files.authority)

    async def connect(self, context: ssl.SSLContext | None = None) -> Any:
        return await asyncio.open_connection("localhost", self.port, ssl=context or self.context())

    async def serial(self) -> str:
        """Return the number of the certificate that a new connection is shown."""
        _reader, writer = await self.connect()
        try:
            return str(writer.get_extra_info("peercert")["serialNumber"])
        finally:
            writer.close()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def files(authority: Authority, tmp_path: Path) -> Files:
    return authority.sign(tmp_path, "localhost", days=90)


@asynccontextmanager
async def _secured(files: Files, answer: Any = well, **given: Any) -> AsyncIterator[Secured]:
    loop = asyncio.get_running_loop()
    door = Door(files.pem)
    async with laboratory(answer, **given) as lab:
        keeping = loop.create_task(door.keep_fresh())
        front = await loop.create_server(
            lambda: ClientConnection(lab.balancer), "127.0.0.1", 0, ssl=door.context
        )
        try:
            yield Secured(lab, front.sockets[0].getsockname()[1], files)
        finally:
            keeping.cancel()
            front.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(GET)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


@contextmanager
def _refused() -> Iterator[None]:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        yield


def test_a_backend_is_told_that_its_client_came_by_tls(files: Files) -> None:
    async def run() -> None:
        async with _secured(files) as door:
            reader, writer = await door.connect()
            assert (await _ask(reader, writer)).startswith(b"HTTP/1.1 200")
            assert (await _ask(reader, writer)).startswith(b"HTTP/1.1 200")
            writer.close()
            assert door.lab.seen[0].values("X-Forwarded-Proto") == ["https"]

    on_loop(run())


def test_neither_old_versions_nor_weak_ciphers_are_spoken(files: Files) -> None:
    assert Door(files.pem).context.minimum_version == ssl.TLSVersion.TLSv1_2

    async def run() -> None:
        async with _secured(files) as door:
            weak = door.context()
            weak.maximum_version = ssl.TLSVersion.TLSv1_2
            weak.set_ciphers("AES128-SHA256")
            with _refused():
                await door.connect(weak)
            modern = door.context()
            modern.set_alpn_protocols(["h2", "http/1.1"])
            _reader, writer = await door.connect(modern)
            spoken = writer.get_extra_info("ssl_object")
            assert (spoken.version(), spoken.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
            writer.close()

    on_loop(run())


def test_a_renewed_certificate_is_shown_to_who_comes_and_no_connection_ends(
    authority: Authority, files: Files, tmp_path: Path
) -> None:
    async def run() -> None:
        async with _secured(files) as door:
            before = await door.serial()
            reader, writer = await door.connect()
            await _ask(reader, writer)
            (tmp_path / "new").mkdir()
            renewed = authority.sign(tmp_path / "new", "localhost", days=90)
            whole = renewed.pem.read_bytes()
            files.pem.write_bytes(whole[: whole.index(b"-----BEGIN PRIVATE")])
            await asyncio.sleep(1.2)
            assert await door.serial() == before
            renewed.pem.replace(files.pem)
            async with asyncio.timeout(20):
                while await door.serial() == before:  # noqa: ASYNC110  # nobody tells
                    await asyncio.sleep(0.1)
            assert (await _ask(reader, writer)).startswith(b"HTTP/1.1 200")
            writer.close()

    on_loop(run())


def test_what_is_refused_is_answered_and_the_connection_ends_well(files: Files) -> None:
    wrong: list[object] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: wrong.append(told))
        async with _secured(files) as door:
            reader, writer = await door.connect()
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            answer = await reader.read(-1)
            assert answer.startswith(b"HTTP/1.1 400")
            assert b"\r\nStrict-Transport-Security: max-age=31536000" in answer
            assert answer.endswith(b"}")
            writer.close()
            await door.lab.until(lambda: not door.lab.balancer.clients)

    on_loop(run())
    assert not wrong


def test_a_client_that_says_no_more_leaves_nothing_behind(files: Files) -> None:
    async def run() -> None:
        async with _secured(files, silent) as door:
            _reader, writer = await door.connect()
            writer.write(GET)
            await door.lab.until(lambda: bool(door.lab.seen))
            writer.close()
            await door.lab.until(lambda: not door.lab.balancer.clients)
            door.lab.prove_nothing_is_left()

    on_loop(run())


def test_a_long_answer_waits_for_a_slow_reader(files: Files) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MEGABYTES

    async def run() -> None:
        async with _secured(files, saying(head + b"x" * MEGABYTES)) as door:
            reader, writer = await door.connect()
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.2)
            (client,) = door.lab.balancer.clients
            assert client.transport.get_write_buffer_size() < MEGABYTES // 2
            assert await reader.readexactly(MEGABYTES) == b"x" * MEGABYTES
            writer.close()

    on_loop(run())


def test_a_file_that_cannot_be_shown_is_refused_at_the_start(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("no certificate")
    expired = authority.sign(tmp_path, "localhost", days=-1).pem
    for file, why in ((nothing, ""), (tmp_path / "absent", ""), (expired, "has expired")):
        command = ["lb", "--snapshot", "s", "--certificate", str(file), "--try"]
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit, match=f"Cannot speak TLS with {file}: .*{why}"):
            main()
