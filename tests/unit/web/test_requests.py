"""For how long a thread of a web worker waits for one client."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bankproject.web import requests
from bankproject.web.requests import AWAITED_BYTES, Connection, GoneError


@pytest.fixture
def both() -> Iterator[tuple[Connection, socket.socket]]:
    """Give a connection and its client."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        client = socket.create_connection(door.getsockname())
        ours, peer = door.accept()
    connection = Connection(ours, peer, {}, deadline=0.0)
    yield connection, client
    ours.close()
    client.close()


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> float:
    """Let a thread wait no longer than this for a client that stands still."""
    monkeypatch.setattr(requests, "SLOWEST_SECONDS", 0.5)
    return 0.5


def _arrive(connection: Connection, client: socket.socket, said: bytes) -> None:
    client.sendall(said)
    until = time.monotonic() + 5
    while connection.next_request() is None and time.monotonic() < until:
        connection.receive()


def test_body_that_drips_is_not_waited_for_long(
    both: tuple[Connection, socket.socket], little_patience: float
) -> None:
    connection, client = both
    head = b"POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 1000000\r\n\r\n"
    _arrive(connection, client, head + b"x" * AWAITED_BYTES)
    stop, begun = threading.Event(), time.monotonic()

    def drip() -> None:
        with suppress(OSError):
            while not stop.wait(0.05) and time.monotonic() < begun + 5:
                client.sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert connection.body is not None
        with pytest.raises(GoneError):
            connection.body.for_application().read()
    finally:
        stop.set()
        dripping.join()
    assert little_patience <= time.monotonic() - begun < 5


def test_client_that_reads_nothing_is_not_waited_for_long(
    both: tuple[Connection, socket.socket], little_patience: float
) -> None:
    connection, _client = both
    begun = time.monotonic()
    with pytest.raises(GoneError):
        connection.send(b"x" * 50_000_000)
    assert little_patience <= time.monotonic() - begun < 5


def test_client_that_reads_on_gets_all(
    both: tuple[Connection, socket.socket], little_patience: float
) -> None:
    connection, client = both
    found = bytearray()

    def read() -> None:
        while len(found) < 50_000_000:
            found.extend(client.recv(1_000_000))

    reading = threading.Thread(target=read)
    reading.start()
    connection.send(b"x" * 50_000_000)
    reading.join()
    assert (len(found), little_patience) == (50_000_000, 0.5)
