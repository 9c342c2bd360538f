"""Requests and answers pass whole, with who asked written by the balancer alone."""

import asyncio
import socket
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import CloseCode

from lb.snapshot import Deadlines, RateLimit
from tests.balancing import (
    Laboratory,
    Seen,
    laboratory,
    on_loop,
    saying,
    snapshot,
    statuses,
    well,
)

HOST = b"Host: bank.example\r\n"
GET = b"GET /accounts?a=1 HTTP/1.1\r\n" + HOST + b"\r\n"


def _get(fields: bytes) -> bytes:
    return GET.replace(HOST, HOST + fields)


def _run(raw: bytes, answer: bytes | None = None, **given: Any) -> tuple[Laboratory, bytes]:
    async def run() -> tuple[Laboratory, bytes]:
        async with laboratory(well if answer is None else saying(answer), **given) as lab:
            answers = await lab.say(raw)
            await lab.until(lambda: not lab.balancer.clients)
            lab.prove_nothing_is_left()
            return lab, answers

    return on_loop(run())


def _only(lab: Laboratory) -> Seen:
    assert [backend.faults for backend in lab.backends] == [[] for _ in lab.backends]
    (seen,) = lab.seen
    return seen


def test_who_asks_is_what_the_socket_says_whatever_the_request_says() -> None:
    forged = (
        b"X-Forwarded-For: 9.9.9.9\r\nx-forwarded-for: 8.8.8.8\r\nForwarded: for=9.9.9.9\r\n"
        b"X-Forwarded-Proto: https\r\nX-FORWARDED-HOST: evil.example\r\nX-Real-IP: 9.9.9.9\r\n"
        b"X-Forwarded-Port: 1\r\nTrue-Client-IP: 9.9.9.9\r\nVia: 1.1 evil\r\n"
        b"X-Backend-Secret: guessed\r\n"
    )
    seen = _only(_run(_get(forged))[0])
    assert seen.values("X-Forwarded-For") == ["127.0.0.1"]
    assert seen.values("X-Forwarded-Proto") == ["http"]
    known = {"host", "x-forwarded-for", "x-forwarded-proto", "x-request-id"}
    assert {name.lower() for name, _ in seen.fields} == known


def test_backends_are_shown_the_secret_that_they_know_and_no_other() -> None:
    lab, _ = _run(_get(b"x-backend-secret: guessed\r\n"), secret="known to both")
    assert _only(lab).values("X-Backend-Secret") == ["known to both"]


def test_fields_for_one_connection_alone_stay_behind_and_others_pass() -> None:
    said = (
        b"Connection: keep-alive, TE\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nTrailer: X\r\n"
        b"Proxy-Connection: close\r\nAccept: */*\r\nCookie: a=b; c=d\r\nX-Name:\tRao \r\n"
    )
    seen = _only(_run(_get(said))[0])
    assert [seen.values(name) for name in ("accept", "cookie", "x-name")] == [
        *(["*/*"], ["a=b; c=d"], ["Rao"])
    ]
    gone = ("connection", "keep-alive", "te", "trailer", "proxy-connection")
    assert not any(seen.values(name) for name in gone)


def test_a_request_has_an_id_and_keeps_one_that_is_a_uuid() -> None:
    uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"
    kept = _only(_run(_get(b"X-Request-ID: %b\r\n" % uuid.encode()))[0])
    assert kept.values("X-Request-ID") == [uuid]
    lab, _ = _run(_get(b"X-Request-ID: <script>\r\n") + GET)
    first, second = (one.values("X-Request-ID")[0] for one in lab.seen)
    assert len(first) == len(second) == len(uuid)
    assert first != second


def test_a_long_body_passes_whole_in_both_directions_and_both_framings() -> None:
    size = 3_000_000

    async def echo(seen: Seen, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"%x\r\n%b\r\n" % (len(seen.body), seen.body)
        writer.write(head + chunk + b"0\r\n\r\n")

    async def run() -> list[bool]:
        body = bytes(range(256)) * (size // 256)
        plain = b"POST /p HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n" % (HOST, len(body)) + body
        half = len(body) // 2
        chunks = b"".join(b"%x\r\n%b\r\n" % (half, body[at : at + half]) for at in (0, half))
        coded = b"POST /p HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % HOST + chunks
        async with laboratory(echo) as lab:
            answers = [await lab.say(raw) for raw in (plain, coded + b"0\r\n\r\n")]
            assert [one.body for one in lab.seen] == [body, body]
            return [_unchunked(answer.partition(b"\r\n\r\n")[2]) == body for answer in answers]

    assert on_loop(run()) == [True, True]


def _unchunked(raw: bytes) -> bytes:
    body = b""
    while True:
        size, _, raw = raw.partition(b"\r\n")
        if not int(size, 16):
            assert raw == b"\r\n"
            return body
        body, raw = body + raw[: int(size, 16)], raw[int(size, 16) + 2 :]


def test_an_answer_without_length_is_framed_for_who_asks() -> None:
    async def until_close(seen: Seen, writer: asyncio.StreamWriter) -> None:
        del seen
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nhello")
        writer.close()

    async def run() -> tuple[bytes, bytes]:
        async with laboratory(until_close) as lab:
            return await lab.say(GET), await lab.say(GET.replace(b"1.1", b"1.0", 1))

    new, old = on_loop(run())
    assert new.endswith(b"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
    assert old.endswith(b"\r\nConnection: close\r\n\r\nhello")


def test_answers_that_have_no_body_end_with_their_head() -> None:
    for status, head in ((204, b""), (304, b"Content-Length: 500\r\nETag: x\r\n")):
        raw = b"HTTP/1.1 %d X\r\n%b\r\n" % (status, head)
        assert statuses(_run(GET + GET, raw)[1]) == [status, status]
    _, answers = _run(GET.replace(b"GET", b"HEAD"), b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\n")
    assert answers.endswith(b"Content-Length: 5\r\n\r\n")


def test_early_hints_are_passed_over() -> None:
    raw = b"HTTP/1.1 103 X\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    assert statuses(_run(GET, raw)[1]) == [200]


def test_who_waits_to_be_told_to_go_on_is_told() -> None:
    head = b"POST /p HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"

    async def run() -> tuple[bytes, Seen]:
        async with laboratory() as lab:
            reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
            writer.write(head)
            told = await reader.readuntil(b"\r\n\r\n")
            writer.write(b"hello")
            await reader.readuntil(b"POST /p 5")
            writer.close()
            return told, _only(lab)

    told, seen = on_loop(run())
    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert (seen.body, seen.values("expect")) == (b"hello", [])


def test_a_client_that_asks_too_much_is_told_when_to_come_again() -> None:
    limit = RateLimit(requests_per_second=0.1, burst=2)
    lab, answers = _run(GET * 4, rate_limit=limit)
    assert statuses(answers) == [200, 200, 429, 429]
    assert b"\r\nRetry-After: 10\r\n" in answers
    assert len(lab.seen) == lab.balancer.counters.denied == 2


def test_a_web_socket_is_a_tunnel_once_the_backend_agrees() -> None:
    async def switch(seen: Seen, writer: asyncio.StreamWriter) -> None:
        assert seen.values("upgrade") == ["websocket"]
        writer.write(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi")
        writer.write(b" there")
        await asyncio.sleep(0.05)
        writer.write(b"!")

    raw = _get(b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n")

    async def run() -> bytes:
        async with laboratory(switch) as lab:
            reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
            writer.write(raw)
            found = await reader.readuntil(b"!")
            writer.write(b"\x00\xff raw")
            backend = next(iter(lab.backends[0].writers))
            backend.transport.abort()
            found += await reader.read()
            writer.close()
            lab.prove_nothing_is_left()
            return found

    head, _, rest = on_loop(run()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert rest == b"hi there!"


def test_messages_of_a_web_socket_pass_from_end_to_end() -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async def run() -> None:
        async with laboratory() as lab, serve(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            found = snapshot(lab.backends)
            backends = (replace(found.backends[0], port=port),)
            lab.balancer.rule(replace(found, version=2, backends=backends))
            async with connect(f"ws://127.0.0.1:{lab.port}/", proxy=None) as web:
                for message in ("नमस्ते", bytes(1_000_000), ["in ", "parts"]):
                    await web.send(message)
                    whole = "".join(message) if isinstance(message, list) else message
                    assert await web.recv() == whole
                await (await web.ping())
            assert web.close_code == CloseCode.NORMAL_CLOSURE
            await lab.until(lambda: not lab.balancer.clients)

    on_loop(run())


def test_a_switch_that_nobody_asked_for_is_no_answer() -> None:
    raw = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    assert statuses(_run(GET, raw)[1]) == [502]


def test_a_slow_reader_holds_the_backend_back_and_gets_everything() -> None:
    size = 8_000_000

    async def long(seen: Seen, writer: asyncio.StreamWriter) -> None:
        del seen
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)

    async def run() -> tuple[int, int]:
        async with laboratory(long) as lab:
            reader, writer = await asyncio.open_connection("127.0.0.1", lab.port, limit=2**12)
            writer.write(GET)
            await asyncio.sleep(0.2)
            (client,) = lab.balancer.clients
            held = client.transport.get_write_buffer_size()
            found = await reader.readexactly(size)
            writer.close()
            return held, len(found)

    held, length = on_loop(run())
    assert length == size
    assert held < 1_000_000


def test_who_reads_slowly_holds_no_connection_that_others_use() -> None:
    # More than a transport takes before it asks for a pause, and less than two pieces of that.
    size = 100_000

    async def long(seen: Seen, writer: asyncio.StreamWriter) -> None:
        del seen
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)

    async def run() -> tuple[bytes, int]:
        loop = asyncio.get_running_loop()
        async with laboratory(long, deadlines=Deadlines(backend_seconds=1.0)) as lab:
            with socket.socket() as slow:
                slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                slow.settimeout(0)
                await loop.sock_connect(slow, ("127.0.0.1", lab.port))
                await lab.until(lambda: bool(lab.balancer.clients))
                (client,) = lab.balancer.clients
                sending = client.transport.get_extra_info("socket")
                sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
                await loop.sock_sendall(slow, GET)
                await lab.until(lambda: client.transport.get_write_buffer_size() > 65_536)
                return await lab.say(GET), lab.backends[0].connections

    answer, connections = on_loop(run())
    assert statuses(answer) == [200]
    # One for its check, and one that both clients' requests came by.
    assert connections == 2


def test_a_reader_that_never_reads_is_cut_off() -> None:
    async def long(seen: Seen, writer: asyncio.StreamWriter) -> None:
        del seen
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 40000000\r\n\r\n" + b"x" * 40_000_000)

    async def run() -> None:
        async with laboratory(long, deadlines=Deadlines(body_seconds=0.3)) as lab:
            _, writer = await asyncio.open_connection("127.0.0.1", lab.port, limit=2**12)
            writer.write(GET)
            await lab.until(lambda: bool(lab.seen) and not lab.balancer.clients)
            lab.prove_nothing_is_left()
            writer.close()

    on_loop(run())
