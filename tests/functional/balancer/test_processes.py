"""`python -m lb.data` as it is run: restarted, robbed of a worker and of snapshots, stopped."""

import http.client
import os
import resource
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import repeat
from pathlib import Path
from threading import Event, Thread
from typing import Final

import psutil
import pytest

from bankproject.runtime.ports import first_free
from lb.data.__main__ import main
from lb.snapshot import Backend, Deadlines, Snapshot, write_snapshot

PATIENCE: Final = 60.0
_PIECE: Final = b"x" * 5_000_000
_PIECES: Final = 20
LONG: Final = _PIECES * len(_PIECE)
_MOMENT: Final = 0.3
"""So long a side reads nothing at first: what is not held back would fill the balancer."""
_LITTLE: Final = 16_000_000
_IDLE: Final = 10_000


class _Backend(BaseHTTPRequestHandler):
    """Answers at once, but for /slow, which takes a moment; /long is long."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(0.5)
        self._answer(_PIECE if self.path == "/long" else b"ok")

    def do_POST(self) -> None:
        time.sleep(_MOMENT)
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, len(_PIECE))))
        self._answer(b"ok")

    def _answer(self, piece: bytes) -> None:
        times = _PIECES if piece is _PIECE else 1
        self.send_response(200)
        self.send_header("Content-Length", str(times * len(piece)))
        self.end_headers()
        for _ in range(times):
            self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # theirs
        pass


@dataclass
class Running:
    """A balancer, and how to ask it."""

    process: psutil.Popen
    port: int
    monitor: int
    snapshot: Path

    def get(self, path: str = "/", port: int | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def workers(self) -> set[int]:
        return {child.pid for child in self.process.children()}

    def bytes(self) -> int:
        return sum(child.memory_info().rss for child in self.process.children())

    def version(self) -> int:
        return self.measured("snapshot_version")

    def clients(self) -> int:
        """Return how many connections both workers have."""
        return self.measured("clients") + self.measured("clients", worker=1)

    def measured(self, name: str, worker: int = 0) -> int:
        metrics = self.get("/metrics", self.monitor + worker)[1].decode()
        return int(metrics.partition(f"\nlb_{name} ")[2].partition("\n")[0])


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(OSError, http.client.HTTPException):
            if true():
                return
        time.sleep(0.05)
    pytest.fail("it does not come so")


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Backend)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield Backend(name="a", host="127.0.0.1", port=server.server_port)
    server.shutdown()
    server.server_close()


@contextmanager
def _balancer(snapshot: str, file: Path, *more: str) -> Iterator[Running]:
    port, monitor = first_free(33_000), first_free(33_500)
    command = [
        *(sys.executable, "-m", "lb.data", "--snapshot", snapshot, "--workers", "2"),
        *("--listen", f"127.0.0.1:{port}", "--monitor", f"127.0.0.1:{monitor}", *more),
    ]
    with file.with_name("log").open("a") as log:
        process = psutil.Popen(command, stderr=log)
    running = Running(process, port, monitor, file)
    try:
        _until(lambda: running.get()[0] == 200 and len(running.workers()) == 2)
        yield running
    finally:
        with suppress(psutil.NoSuchProcess):
            for one in [process, *process.children()]:
                one.kill()
        process.wait()


@pytest.fixture(scope="module")
def running(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    file = tmp_path_factory.mktemp("lb") / "snapshot.json"
    file.write_bytes(write_snapshot(Snapshot(version=1, backends=(backend,))))
    with _balancer(str(file), file) as found:
        yield found


@contextmanager
def _load(running: Running) -> Iterator[Counter[str]]:
    """Ask all the time, each time on a connection of its own, and count what comes."""
    found, stop = Counter[str](), Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                found[str(running.get()[0])] += 1
            except (OSError, http.client.HTTPException) as error:
                found[type(error).__name__] += 1

    threads = [Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    yield found
    stop.set()
    for thread in threads:
        thread.join()


def test_a_restart_under_load_fails_no_request(running: Running) -> None:
    before = running.workers()
    with _load(running) as found:
        running.process.send_signal(signal.SIGHUP)
        _until(lambda: len(running.workers()) == 2 and not running.workers() & before)
    assert set(found) == {"200"}
    assert running.process.is_running()


def test_a_killed_worker_is_replaced(running: Running) -> None:
    before = running.workers()
    os.kill(min(before), signal.SIGKILL)
    _until(lambda: len(running.workers()) == 2 and running.workers() != before)
    _until(lambda: running.get()[0] == 200)


def test_it_obeys_newer_snapshots_and_serves_on_without(running: Running, backend: Backend) -> None:
    first = Snapshot(version=2, backends=(backend,))
    running.snapshot.write_bytes(write_snapshot(first))
    _until(lambda: running.version() == 2)
    running.snapshot.write_text('{"version": 3')
    assert running.get()[0] == 200
    running.snapshot.unlink()
    assert running.get()[0] == 200
    running.snapshot.write_bytes(write_snapshot(replace(first, version=3)))
    _until(lambda: running.version() == 3)


@contextmanager
def _many_files() -> Iterator[int]:
    """Let this process have as many connections as it may, and return how many of ours that is."""
    usual, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    yield min(_IDLE, most // 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (usual, most))


def test_ten_thousand_connections_that_wait_cost_little_and_keep_nobody_out(
    running: Running,
) -> None:
    before = running.bytes()
    with _many_files() as count, ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection(("127.0.0.1", running.port)))
        _until(lambda: running.clients() >= count)
        assert running.get()[0] == 200
        assert running.bytes() - before < 10_000_000 + 4_000 * count
    _until(lambda: running.clients() < 10)


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_hundred_megabytes_pass_in_little_memory(running: Running, way: str) -> None:
    before, most = running.bytes(), 0
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE)

    def watched(pieces: Iterator[bytes]) -> Iterator[bytes]:
        nonlocal most
        for piece in pieces:
            most = max(most, running.bytes())
            yield piece

    if way == "up":
        pieces = repeat(_PIECE, _PIECES)
        told = {"Content-Length": str(LONG)}
        connection.request("POST", "/", body=watched(pieces), headers=told)
        assert connection.getresponse().read() == b"ok"
    else:
        connection.request("GET", "/long")
        answer = connection.getresponse()
        time.sleep(_MOMENT)
        read = iter(lambda: answer.read(len(_PIECE)), b"")
        assert sum(len(piece) for piece in watched(read)) == LONG
    connection.close()
    assert most - before < _LITTLE


def test_what_is_asked_is_answered_before_it_stops_and_who_asks_nothing_is_not_waited_for(
    running: Running,
) -> None:
    found: list[tuple[int, bytes]] = []
    asking = Thread(target=lambda: found.append(running.get("/slow")))
    with socket.create_connection(("127.0.0.1", running.port)) as idle:
        asking.start()
        time.sleep(0.2)
        running.process.send_signal(signal.SIGINT)
        # Less than a drain may take.
        idle.settimeout(Deadlines().drain_seconds - 5)
        assert idle.recv(1) == b""
    asking.join()
    assert found == [(200, b"ok")]
    assert running.process.wait(PATIENCE) == 0


def test_it_starts_with_what_it_kept_while_its_control_plane_is_gone(
    backend: Backend, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.json"
    kept.write_bytes(write_snapshot(Snapshot(version=9, backends=(backend,))))
    nobody = f"http://127.0.0.1:{first_free(33_900)}/snapshot"
    with _balancer(nobody, kept, "--keep", str(kept)) as found:
        # The other process may have answered first.
        _until(lambda: found.version() == 9)
        workers = found.workers()
        found.process.kill()
        gone, alive = psutil.wait_procs([psutil.Process(one) for one in workers], PATIENCE)
        assert (len(gone), alive) == (2, [])


@pytest.mark.parametrize("given", [["--listen", "8080"], ["--workers", "0"], []])
def test_a_command_line_that_makes_no_sense_is_explained(
    given: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["lb", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "usage: python -m lb.data" in capsys.readouterr().err
