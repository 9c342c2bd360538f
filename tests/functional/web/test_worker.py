"""The web worker as gunicorn runs it: what it reads, what it refuses, and whom it keeps waiting."""

import hashlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import psutil
import pytest

from tests.hostile import ADMITTED, REFUSED

THREADS: Final = 3
PATIENCE: Final = 20.0
GET: Final = b"GET / HTTP/1.1\r\nHost: bank.example\r\n\r\n"
LARGE: Final = b"0123456789abcdef" * 200_000


@dataclass(frozen=True)
class Server:
    """A worker with the tests' application, at a port."""

    port: int
    process: subprocess.Popen[bytes]

    def connect(self) -> socket.socket:
        """Connect to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def say(self, raw: bytes) -> bytes:
        """Send bytes and no more, and return all that comes until the worker hangs up."""
        with self.connect() as client:
            client.sendall(raw)
            client.shutdown(socket.SHUT_WR)
            return _rest(client)

    def ask(self, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
        """Send one request at a connection of its own; return the status and the body."""
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            web.request(method, path, body)
            answer = web.getresponse()
            return answer.status, answer.read()
        finally:
            web.close()

    def seen(self) -> int:
        """Return how many requests reached the application."""
        return int(self.ask("/seen")[1])


@contextmanager
def _served(*settings: str) -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as door:
        command = [
            *(sys.executable, "-m", "gunicorn", "tests.web_application:application"),
            *(f"--bind=fd://{door.fileno()}", "--workers=1", f"--threads={THREADS}"),
            *("--worker-class=bankproject.web.worker.TurnsWorker", "--no-control-socket"),
            *("--log-level=error", *settings),
        ]
        process = subprocess.Popen(command, pass_fds=[door.fileno()])
        server = Server(door.getsockname()[1], process)
    try:
        server.ask("/")
        yield server
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Give one worker to the tests of this module."""
    with _served() as found:
        yield found


def _rest(client: socket.socket) -> bytes:
    """Return all that comes until the worker hangs up."""
    found = b""
    with suppress(ConnectionResetError):
        while data := client.recv(65_536):
            found += data
    return found


def _until(client: socket.socket, end: bytes) -> bytes:
    found = b""
    while end not in found:
        data = client.recv(65_536)
        assert data, found
        found += data
    return found


def _told(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def _requests(answers: bytes) -> int:
    return answers.count(b"HTTP/1.1 200 OK")


class TestReading:
    def test_application_is_told_what_the_request_says(self, server: Server) -> None:
        fields = b"X-Forwarded-For: 192.0.2.1\r\nCookie: a=1\r\nAccept: x\r\nAccept: y\r\n"
        head = b"GET /a%20b%C3%BC?c=%20d HTTP/1.1\r\nHost: bank.example\r\n" + fields + b"\r\n"
        told = _told(server.say(head))["environ"]
        expected = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/a b\u00c3\u00bc",
            "QUERY_STRING": "c=%20d",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_PORT": str(server.port),
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "bank.example",
            "HTTP_X_FORWARDED_FOR": "192.0.2.1",
            "HTTP_COOKIE": "a=1",
            "HTTP_ACCEPT": "x,y",
            "wsgi.url_scheme": "http",
        }
        assert told | expected == told

    @pytest.mark.parametrize("piece", [1, 7, 100_000])
    def test_requests_behind_each_other_are_answered_in_order(
        self, server: Server, piece: int
    ) -> None:
        body = b"amount=5"
        post = b"POST /%d HTTP/1.1\r\nHost: b\r\nContent-Length: 8\r\n\r\n" + body
        chunked = b"POST /%d HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n"
        raw = post % 1 + GET + chunked % 2 + b"3\r\namo\r\n5\r\nunt=5\r\n0\r\n\r\n" + post % 3
        with server.connect() as client:
            for at in range(0, len(raw), piece):
                client.sendall(raw[at : at + piece])
            client.shutdown(socket.SHUT_WR)
            answers = [
                json.loads(one.partition(b"\r\n\r\n")[2])
                for one in _rest(client).split(b"HTTP/1.1 200 OK")[1:]
            ]
        assert [one["environ"]["PATH_INFO"] for one in answers] == ["/1", "/", "/2", "/3"]
        assert [one["body"] for one in answers] == ["amount=5", "", "amount=5", "amount=5"]

    def test_long_body_is_read_as_it_comes(self, server: Server) -> None:
        digest = f"{len(LARGE)} {hashlib.sha256(LARGE).hexdigest()}".encode()
        assert server.ask("/digest", "POST", LARGE) == (200, digest)

    def test_long_body_in_chunks_is_awaited_whole(self, server: Server) -> None:
        head = b"POST /digest HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = LARGE[:2_000_000]
        raw = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        assert f"{len(body)} {hashlib.sha256(body).hexdigest()}".encode() in server.say(raw)

    def test_body_in_chunks_without_end_is_refused(self, server: Server) -> None:
        head = b"POST /digest HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n"
        with server.connect() as client:
            client.sendall(head)
            with suppress(OSError):
                for _ in range(20):
                    client.sendall(b"%x\r\n%b\r\n" % (2**20, b"x" * 2**20))
            assert b"413 " in _rest(client)

    def test_who_waits_to_be_asked_for_the_body_is_asked(self, server: Server) -> None:
        head = b"POST / HTTP/1.1\r\nHost: b\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        with server.connect() as client:
            client.sendall(head)
            assert _until(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.sendall(b"ok")
            assert b'"body": "ok"' in _until(client, b"}")

    def test_what_nobody_read_of_a_body_is_no_request(self, server: Server) -> None:
        before = server.seen()
        body = (GET * 5_000)[:150_000]
        head = b"POST /ignore HTTP/1.1\r\nHost: b\r\nContent-Length: %d\r\n\r\n" % len(body)
        answer = server.say(head + body)
        assert b"Connection: close" in answer
        assert answer.endswith(b"not read")
        assert server.seen() == before + 1

    @pytest.mark.parametrize("name", REFUSED)
    def test_what_others_read_differently_is_refused(self, server: Server, name: str) -> None:
        before = server.seen()
        answer = server.say(REFUSED[name])
        said = answer.rpartition(b"\r\n\r\n")[2]
        if said:
            assert json.loads(said)["code"] == "refused", answer
            assert not _requests(answer)
        assert server.seen() == before

    @pytest.mark.parametrize("name", ADMITTED)
    def test_what_means_one_thing_is_answered(self, server: Server, name: str) -> None:
        raw, expected = ADMITTED[name]
        assert _requests(server.say(raw)) == len(expected)

    def test_head_without_end_is_refused(self, server: Server) -> None:
        answer = server.say(b"GET / HTTP/1.1\r\nHost: b\r\nX: " + b"x" * 20_000)
        assert answer.startswith(b"HTTP/1.1 431 ")


class TestAnswering:
    def test_pieces_come_in_chunks(self, server: Server) -> None:
        assert server.ask("/long?pieces=1000") == (200, b"x" * 1_000_000)

    def test_old_client_is_told_the_end_by_hanging_up(self, server: Server) -> None:
        answer = server.say(b"GET /long?pieces=3 HTTP/1.0\r\nHost: b\r\n\r\n")
        assert answer.endswith(b"\r\n\r\n" + b"x" * 3_000)
        assert b"chunked" not in answer

    def test_answer_that_fails_in_the_middle_is_seen_to_be_broken(self, server: Server) -> None:
        with pytest.raises(http.client.IncompleteRead):
            server.ask("/long?pieces=200&fails=150")

    def test_answer_that_fails_before_anything_was_sent_is_an_error(self, server: Server) -> None:
        status, said = server.ask("/long?pieces=200&fails=2")
        assert (status, json.loads(said)["code"]) == (500, "internal_error")
        assert server.ask("/fail")[0] == 500

    def test_answer_shorter_than_it_says_is_seen_to_be_broken(self, server: Server) -> None:
        with pytest.raises(http.client.IncompleteRead):
            server.ask("/short")

    @pytest.mark.parametrize(
        "path", ["/excess", "/headless", "/smuggle?name=a%0D%0AX-Other:%20b", "/smuggle?name=a%0A"]
    )
    def test_answer_that_is_none_is_an_error(self, server: Server, path: str) -> None:
        answers = server.say(b"GET %b HTTP/1.1\r\nHost: b\r\n\r\n" % path.encode() + GET)
        assert answers.startswith(b"HTTP/1.1 500 ")
        assert answers.count(b"HTTP/1.1") == 1

    def test_application_may_think_better_of_it(self, server: Server) -> None:
        answer = server.say(b"GET /changed HTTP/1.1\r\nHost: b\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"chunked" not in answer
        assert answer.endswith(b"\r\n\r\nbusy")

    def test_failed_head_has_no_body(self, server: Server) -> None:
        answer = server.say(b"HEAD /fail HTTP/1.1\r\nHost: b\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 500 ")
        assert answer.endswith(b"\r\n\r\n")

    def test_slow_pieces_are_not_held_back_for_long(self, server: Server) -> None:
        with server.connect() as client:
            client.sendall(b"GET /slowly HTTP/1.1\r\nHost: b\r\n\r\n")
            begun = time.monotonic()
            _until(client, b"\r\n\r\n")
            first = time.monotonic() - begun
            _until(client, b"0\r\n\r\n")
            assert first < time.monotonic() - begun - 0.5

    def test_no_body_where_none_belongs(self, server: Server) -> None:
        head = b"HEAD /long?pieces=3 HTTP/1.1\r\nHost: b\r\n\r\n"
        nothing = b"GET /nothing HTTP/1.1\r\nHost: b\r\n\r\n"
        answers = server.say(head + nothing + GET)
        assert _requests(answers) == 2
        assert b"x" * 10 not in answers

    def test_connection_stays_until_the_client_wants_no_more(self, server: Server) -> None:
        last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        with server.connect() as client:
            client.sendall(GET * 3 + last + GET)
            answers = _rest(client)
        assert _requests(answers) == 4
        assert answers.count(b"Connection: close") == 1


class TestWaiting:
    def test_long_requests_keep_nobody_waiting_while_a_thread_is_left(self, server: Server) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            long = [pool.submit(server.ask, "/sleep?seconds=2") for _ in range(THREADS - 1)]
            time.sleep(0.5)
            begun = time.monotonic()
            for _ in range(20):
                assert server.ask("/")[0] == 200
            assert not any(one.done() for one in long), time.monotonic() - begun
            assert [one.result() for one in long] == [(200, b"slept")] * (THREADS - 1)

    def test_more_long_requests_than_threads_are_all_answered(self, server: Server) -> None:
        with ThreadPoolExecutor(4 * THREADS) as pool:
            asked = [pool.submit(server.ask, "/sleep?seconds=0.2") for _ in range(4 * THREADS)]
            assert [one.result() for one in asked] == [(200, b"slept")] * (4 * THREADS)

    def test_what_arrived_while_all_were_busy_is_answered(self, server: Server) -> None:
        # Longer than connections are kept that nobody says anything at.
        with server.connect() as kept, ThreadPoolExecutor(THREADS) as pool:
            kept.sendall(GET)
            _until(kept, b"}")
            long = [pool.submit(server.ask, "/sleep?seconds=4") for _ in range(THREADS)]
            time.sleep(0.5)
            kept.sendall(GET)
            assert _requests(_until(kept, b"}")) == 1
            assert [one.result() for one in long] == [(200, b"slept")] * THREADS

    def test_requests_that_arrive_slowly_take_no_thread(self, server: Server) -> None:
        head = b"POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 10\r\n\r\n12345"
        with ExitStack() as stack:
            slow = [stack.enter_context(server.connect()) for _ in range(4 * THREADS)]
            for number, client in enumerate(slow):
                client.sendall(head[: -(number % 2) * 40 or None])
            assert server.ask("/")[0] == 200
            slow[0].sendall(b"67890")
            assert b'"body": "1234567890"' in _until(slow[0], b"}")

    def test_client_that_reads_nothing_holds_up_nobody(self, server: Server) -> None:
        with ExitStack() as stack:
            for _ in range(THREADS - 1):
                client = stack.enter_context(server.connect())
                client.sendall(b"GET /long?pieces=50000 HTTP/1.1\r\nHost: b\r\n\r\n")
            time.sleep(0.5)
            for _ in range(20):
                assert server.ask("/")[0] == 200

    def test_idle_connection_is_closed(self, server: Server) -> None:
        with server.connect() as client:
            client.sendall(GET)
            begun = time.monotonic()
            assert _requests(_rest(client)) == 1
            # gunicorn's own keep-alive, and a look at them each second.
            assert 1 < time.monotonic() - begun < PATIENCE / 2

    def test_requests_that_end_their_thread_end_themselves_alone(self, server: Server) -> None:
        for _ in range(2 * THREADS):
            with suppress(http.client.HTTPException, ConnectionError):
                server.ask("/exit")
        assert server.ask("/")[0] == 200

    def test_too_many_open_files_are_waited_out(self, server: Server) -> None:
        (worker,) = psutil.Process(server.process.pid).children()
        usual = worker.rlimit(psutil.RLIMIT_NOFILE)
        worker.rlimit(psutil.RLIMIT_NOFILE, (worker.num_fds() + 5, usual[1]))
        try:
            with ExitStack() as stack:
                for _ in range(20):
                    stack.enter_context(server.connect())
                time.sleep(0.2)
                before = sum(worker.cpu_times()[:2])
                time.sleep(1)
                assert sum(worker.cpu_times()[:2]) - before < 0.3
            assert server.ask("/")[0] == 200
        finally:
            worker.rlimit(psutil.RLIMIT_NOFILE, usual)

    def test_idle_worker_costs_next_to_nothing(self, server: Server) -> None:
        time.sleep(1.5)
        (worker,) = psutil.Process(server.process.pid).children()
        before = sum(worker.cpu_times()[:2])
        time.sleep(2)
        assert sum(worker.cpu_times()[:2]) - before < 0.1


class TestEnding:
    def test_what_was_asked_is_answered_and_nothing_after(self) -> None:
        with _served("--graceful-timeout=5") as server, ThreadPoolExecutor(1) as pool:
            with server.connect() as idle:
                idle.sendall(GET)
                _until(idle, b"}")
                long = pool.submit(server.ask, "/sleep?seconds=1")
                time.sleep(0.3)
                server.process.send_signal(signal.SIGTERM)
                time.sleep(0.3)
                # A client that was kept may be sending just now.
                idle.sendall(GET)
                assert b"Connection: close" in _rest(idle)
            assert long.result() == (200, b"slept")
            assert server.process.wait(PATIENCE) == 0
            with pytest.raises(ConnectionRefusedError):
                server.connect()

    def test_who_comes_meanwhile_is_refused_at_once(self) -> None:
        with _served() as server, server.connect() as idle:
            idle.sendall(GET)
            _until(idle, b"}")
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.7)
            with pytest.raises(ConnectionRefusedError):
                server.connect()
            assert server.process.poll() is None
