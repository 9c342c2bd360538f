"""`python -m lb.data` as it is run: restarted, robbed of a worker and of snapshots, stopped."""

import http.client
import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Final

import psutil
import pytest

from bankproject.runtime.ports import first_free
from lb.data.__main__ import main
from lb.snapshot import Backend, Deadlines, Snapshot, write_snapshot

PATIENCE: Final = 60.0


class _Backend(BaseHTTPRequestHandler):
    """Answers at once, but for /slow, which takes a moment."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/slow":
            time.sleep(0.5)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

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
        metrics = self.get("/metrics", self.monitor)[1].decode()
        return int(metrics.partition("\nlb_snapshot_version ")[2].partition("\n")[0])


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


def test_connections_that_wait_cost_little(running: Running) -> None:
    before = running.bytes()
    with ExitStack() as stack:
        for _ in range(1000):
            stack.enter_context(socket.create_connection(("127.0.0.1", running.port)))
        _until(lambda: running.get()[0] == 200)
        assert running.bytes() - before < 8_000_000


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
        assert found.version() == 9
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
