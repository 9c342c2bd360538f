"""Backends that lie, break, hang or vanish: clients get whole answers or none."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

import pytest

from lb.data.own_answers import MOST_A_SECOND, OwnAnswers
from lb.snapshot import Backend, Check, Deadlines, Policy, State
from tests.balancing import (
    Answer,
    Laboratory,
    Seen,
    laboratory,
    on_loop,
    saying,
    silent,
    snapshot,
    statuses,
    well,
)

HOST = b"Host: bank.example\r\n"
GET = b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\nhi"
KEYED = POST.replace(HOST, HOST + b"Idempotency-Key: k1\r\n")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
LYING = {
    "no HTTP": b"hello\r\n\r\n",
    "version 2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n",
    "a length with a plus": b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
    "unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
    "chunks of HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nX: y\r\n z\r\nContent-Length: 0\r\n\r\n",
    "NUL": b"HTTP/1.1 200 OK\r\nX: y\x00\r\nContent-Length: 0\r\n\r\n",
    "line feeds": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n",
    "a body of 204": b"HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\nhello",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of 999": b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000,
    "endless announcements": b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
    "a bad first chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
}
BREAKING = {
    "short of its length": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
    "without the last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n",
}
Found = TypeVar("Found")


def _run(work: Callable[[Laboratory], Awaitable[Found]], *answers: Answer, **given: Any) -> Found:
    async def run() -> Found:
        async with laboratory(*answers, **given) as lab:
            found = await work(lab)
            await lab.until(lambda: not lab.balancer.clients)
            lab.prove_nothing_is_left()
            return found

    return on_loop(run())


async def _reset(seen: Seen, writer: asyncio.StreamWriter) -> None:
    del seen
    writer.transport.abort()


def test_what_is_no_answer_is_a_502_and_both_sides_end() -> None:
    async def work(lab: Laboratory) -> dict[str, bytes]:
        found = {}
        for name, raw in LYING.items():
            lab.backends[0].answer = saying(raw)
            found[name] = await lab.say(POST, ends=False)
        return found

    wrong = {
        name: answer
        for name, answer in _run(work, well).items()
        if not answer.startswith(b"HTTP/1.1 502 ") or b"Connection: close" not in answer
    }
    assert not wrong, wrong


def test_what_the_balancer_answers_itself_is_logged_under_the_id_it_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = b"11111111-1111-4111-8111-111111111111"

    async def work(lab: Laboratory) -> list[bytes]:
        asked = GET.replace(HOST, HOST + b"X-Request-ID: " + given + b"\r\n")
        return [await lab.say(words, ends=False) for words in (asked, POST, b"no head\r\n\r\n")]

    answers = _run(work, saying(LYING["no HTTP"]))
    named = [json.loads(one.partition(b"\r\n\r\n")[2])["request_id"] for one in answers]
    logged = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    found = [line for line in logged if line["event"] == "answered_itself"]
    assert [line["request_id"] for line in found] == named
    assert [line["status"] for line in found] == [502, 502, 501]
    assert named[0] == given.decode()
    assert len({str(UUID(one)) for one in named}) == 3


def test_a_flood_of_own_answers_is_counted_where_it_is_not_logged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = OwnAnswers()
    for now in (*[1.0] * (MOST_A_SECOND + 7), 2.0):
        answers.made(429, "too_many_requests", b"id", now=now)
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events == [*["answered_itself"] * MOST_A_SECOND, "answers_not_logged", "answered_itself"]


@pytest.mark.parametrize("name", BREAKING)
def test_a_part_of_an_answer_is_never_taken_for_the_whole(name: str) -> None:
    async def work(lab: Laboratory) -> bytes:
        return await lab.say(GET, ends=False)

    found = _run(work, saying(BREAKING[name], closes=True))
    assert b"hello" not in found or not found.endswith(b"0\r\n\r\n")
    assert b"HTTP/1.1 200" not in found or b"hello" in found or found == b""


def test_more_than_the_length_is_kept_from_the_client_and_ends_both_sides() -> None:
    async def work(lab: Laboratory) -> bytes:
        return await lab.say(GET + GET, ends=False)

    split = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX: split\r\n\r\n"
    found = _run(work, saying(split))
    assert statuses(found) == [200]
    assert b"split" not in found


def test_what_comes_unasked_answers_nobody() -> None:
    async def work(lab: Laboratory) -> list[bytes]:
        async def later(seen: Seen, writer: asyncio.StreamWriter) -> None:
            await well(seen, writer)
            await writer.drain()
            await asyncio.sleep(0.02)
            writer.write(b"HTTP/1.1 200 OK\r\nX: poison\r\nContent-Length: 0\r\n\r\n")

        lab.backends[0].answer = later
        first = await lab.say(GET)
        await asyncio.sleep(0.06)
        return [first, await lab.say(GET)]

    assert [b"poison" in answer for answer in _run(work)] == [False, False]


@pytest.mark.parametrize("request_", [GET, KEYED])
def test_what_may_be_done_twice_goes_to_another_backend(request_: bytes) -> None:
    async def work(lab: Laboratory) -> tuple[list[int], list[int]]:
        answers = [await lab.say(request_) for _ in range(4)]
        return [statuses(one)[0] for one in answers], [len(one.seen) for one in lab.backends]

    told, seen = _run(work, _reset, well)
    assert told == [200] * 4
    assert seen[1] == 4
    assert seen[0] <= 4


def test_what_may_not_be_done_twice_reaches_one_backend_once() -> None:
    async def work(lab: Laboratory) -> tuple[list[int], int]:
        answers = [await lab.say(POST) for _ in range(6)]
        return [statuses(one)[0] for one in answers], len(lab.seen)

    told, seen = _run(work, _reset, _reset, _reset)
    assert (told, seen) == ([502] * 6, 6)


def test_what_nobody_has_read_goes_to_another_backend_whatever_it_is() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = Backend(name="nobody", host="127.0.0.1", port=closed.getsockname()[1])

        async def work(lab: Laboratory) -> list[int]:
            found = snapshot(lab.backends)
            backends = (replace(nobody, weight=1000), *found.backends)
            lab.balancer.rule(replace(found, version=2, backends=backends))
            lab.balancer.fleet.members["nobody"].health.is_up = True
            lab.balancer.rule(replace(found, version=3, backends=backends))
            return [statuses(await lab.say(POST))[0] for _ in range(3)]

        assert _run(work) == [200] * 3


def test_a_client_that_reached_nobody_may_ask_again_on_its_connection() -> None:
    async def work(lab: Laboratory) -> list[bytes]:
        for server in lab.servers:
            server.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", lab.port)
        lines = []
        for _ in range(3):
            writer.write(POST)
            lines.append(await reader.readuntil(b"\r\n"))
            await reader.readuntil(b"}")
        writer.close()
        return lines

    assert _run(work) == [b"HTTP/1.1 502 Bad Gateway\r\n"] * 3


def test_retries_end_with_their_budget() -> None:
    async def work(lab: Laboratory) -> int:
        for _ in range(10):
            await lab.say(GET)
        return lab.balancer.counters.retries

    assert 0 < _run(work, *[_reset] * 8) <= 3 + 0.2 * 10


def test_a_backend_that_is_silent_costs_its_deadline_and_no_more() -> None:
    async def work(lab: Laboratory) -> bytes:
        return await lab.say(GET)

    given = Deadlines(backend_seconds=0.2)
    assert statuses(_run(work, silent, deadlines=given)) == [504]


def test_an_answer_that_stops_midway_breaks_off() -> None:
    async def work(lab: Laboratory) -> bytes:
        return await lab.say(GET, ends=False)

    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"
    found = _run(work, saying(raw), deadlines=Deadlines(backend_seconds=0.2))
    assert found == b"" or not found.endswith(b"hello!!!!")


def test_an_early_answer_passes_and_the_rest_of_the_body_goes_nowhere() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 X\r\nContent-Length: 2\r\n\r\nno")
        with suppress(ConnectionError):
            await reader.read()
        writer.close()

    async def work(lab: Laboratory) -> bytes:
        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        found = snapshot(lab.backends)
        early = replace(found.backends[0], port=port)
        lab.balancer.rule(replace(found, version=2, backends=(early,)))
        head = b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 50\r\n\r\nhi"
        try:
            return await lab.say(head, b"GET /smuggled HTTP/1.1\r\n\r\n", ends=False)
        finally:
            server.close()

    found = _run(work)
    assert statuses(found) == [413]
    assert b"\r\nConnection: close\r\n" in found


def test_a_failing_backend_is_ejected_and_others_answer() -> None:
    async def work(lab: Laboratory) -> list[int]:
        answers = [await lab.say(POST) for _ in range(100)]
        assert lab.balancer.fleet.members["b0"].ejections == 1
        return [statuses(one)[0] for one in answers]

    failing = saying(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")
    assert _run(work, failing, well, well, policy=Policy.ROUND_ROBIN).count(500) == 5


def test_the_last_backend_is_never_ejected() -> None:
    async def work(lab: Laboratory) -> list[int]:
        return [statuses(await lab.say(POST))[0] for _ in range(12)]

    failing = saying(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")
    assert _run(work, failing) == [500] * 12


def test_checks_take_a_backend_out_and_in() -> None:
    async def work(lab: Laboratory) -> None:
        member = lab.balancer.fleet.members["b0"]
        lab.backends[0].health = b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
        await lab.until(lambda: not member.health.is_up)
        assert [statuses(await lab.say(GET))[0] for _ in range(8)] == [200] * 8
        assert lab.backends[0].seen == []
        lab.backends[0].health = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        await lab.until(lambda: member.health.is_up)

    _run(work, well, well, check=Check(interval_seconds=0.02))


def test_who_drains_gets_nothing_new_and_finishes_what_it_has() -> None:
    free = asyncio.Event()

    async def slow(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await free.wait()
        await well(seen, writer)

    async def work(lab: Laboratory) -> list[int]:
        first = asyncio.create_task(lab.say(GET))
        await lab.until(lambda: lab.backends[0].heads == 1)
        found = snapshot(lab.backends)
        drained = replace(found.backends[0], state=State.DRAINING)
        lab.balancer.rule(replace(found, version=2, backends=(drained,)))
        refused = await lab.say(GET)
        lab.balancer.rule(replace(found, version=3, backends=()))
        free.set()
        return [*statuses(refused), *statuses(await first)]

    assert _run(work, slow) == [503, 200]


def test_a_client_that_leaves_frees_its_backend() -> None:
    async def work(lab: Laboratory) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", lab.port)
        writer.write(GET)
        await lab.until(lambda: lab.backends[0].heads == 1)
        resets = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, resets)
        writer.transport.abort()
        await lab.until(lambda: not lab.balancer.clients)
        lab.prove_nothing_is_left()

    _run(work, silent)


@pytest.mark.parametrize(
    "started",
    [
        b"GET /a HT",
        b"POST /a HTTP/1.1\r\n" + HOST + b"Content-Length: 50\r\n\r\nhi",
        b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
    ],
)
def test_who_never_finishes_a_request_is_told_so_and_ended(started: bytes) -> None:
    async def work(lab: Laboratory) -> bytes:
        return await lab.say(started, ends=False)

    given = Deadlines(header_seconds=0.2, body_seconds=0.2)
    assert statuses(_run(work, deadlines=given)) == [408]


def test_who_asks_nothing_is_ended() -> None:
    async def work(lab: Laboratory) -> bytes:
        return await lab.say(b"", ends=False)

    assert _run(work, deadlines=Deadlines(idle_seconds=0.2)) == b""
