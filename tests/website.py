"""The bank's web server as a real process, over a bank of the tests."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from redis import Redis
from redis.exceptions import RedisError

from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import BankUrls
from lb.snapshot import Backend, Snapshot, write_snapshot

SECONDS_TO_START = 30


@contextmanager
def website(urls: BankUrls, folder: Path) -> Iterator[str]:
    """Serve a bank as ``make run`` does, and yield its address. ``folder`` is its ``var``."""
    with served({**os.environ, "DATABASE_URL": urls.app, "BANK_VAR": str(folder)}) as address:
        yield address


@contextmanager
def behind_haproxy(address: str, folder: Path, *, program: Path) -> Iterator[str]:
    """Put HAProxy before a website, as ``make run LB=haproxy`` does, and yield its address."""
    port, file = first_free(22_400), folder / "balancer.json"
    backend = Backend(name="web-1", host="127.0.0.1", port=urlsplit(address).port or 80)
    file.write_bytes(write_snapshot(Snapshot(version=1, backends=(backend,))))
    command = [sys.executable, "-m", "lb.haproxy", f"--haproxy={program}", f"--snapshot={file}"]
    places = [f"--listen=127.0.0.1:{port}", f"--monitor=127.0.0.1:{first_free(port + 1)}"]
    driver = subprocess.Popen([*command, *places])
    try:
        _wait(f"http://localhost:{port}/health", driver)
        yield f"http://localhost:{port}"
    finally:
        driver.terminate()
        driver.wait()


@contextmanager
def served(
    environment: Mapping[str, str], *, workers: int = 1, log: int | None = None
) -> Iterator[str]:
    """Serve the bank that an environment tells of, and yield its address.

    It finds its cache empty. ``log`` is where its log goes, as `subprocess` knows it.
    """
    with suppress(RedisError):
        Redis.from_url(environment["REDIS_URL"]).flushdb()
    # Bound here and handed on, so that two workers of the tests never take the same port.
    with socket.create_server(("127.0.0.1", 0)) as door:
        address = f"http://localhost:{door.getsockname()[1]}"
        server = _start(environment, address, door.fileno(), workers, log)
    try:
        _wait(f"{address}/health", server)
        yield address
    finally:
        server.terminate()
        server.wait()


def _start(
    environment: Mapping[str, str], address: str, door: int, workers: int, log: int | None
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "bankproject.wsgi", f"--bind=fd://{door}"]
    settings = {
        "DJANGO_SETTINGS_MODULE": "bankproject.settings.dev",
        "PUBLIC_URL": address,
        "BANK_DEMO": "1",
    }
    return subprocess.Popen(
        [
            *command,
            "--worker-class=bankproject.web.worker.TurnsWorker",
            f"--workers={workers}",
            "--threads=4",
            "--no-control-socket",
        ],
        env={**environment, **settings},
        pass_fds=[door],
        stderr=log,
    )


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS_TO_START
    while True:
        assert server.poll() is None, "the server ended"
        try:
            with urlopen(address):  # noqa: S310  # our own server
                return
        except URLError:
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.1)
