"""Backends that answer on this machine, and where the bank lets them be."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings

from lb.control.models import Backend
from lb.control.registry import BackendRequest, Change, register_backend
from tests.factories import instant


class Answering(ThreadingHTTPServer):
    """A backend whose answer can be changed, and which keeps the headers of the last request."""

    daemon_threads = True
    request_queue_size = 128
    status = 200
    name = b""
    headers: Message = Message()
    gives_up = False
    """Whether it closes connections without an answer, as one that ends, but for health checks."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: health checks hang up once they have read the status."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def do_GET(self) -> None:
        if self.path != "/health":
            self.server.headers = self.headers
            if self.server.gives_up:
                self.close_connection = True
                return
        status = 200 if self.path == "/health" and self.server.status != 503 else self.server.status
        self.send_response(status)
        self.send_header("Content-Length", str(len(self.server.name)))
        self.end_headers()
        self.wfile.write(self.server.name)

    def do_POST(self) -> None:
        if not self.server.gives_up:
            self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


@contextmanager
def answering(name: str = "a") -> Iterator[Answering]:
    """Serve a backend for the length of the block. At 503 its health check fails, too."""
    server = Answering(("127.0.0.1", 0), _Handler)
    server.name = name.encode()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def answerer() -> Iterator[Answering]:
    """Give a backend that answers."""
    with answering() as found:
        yield found


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Settings) -> None:
    settings.BACKEND_NETWORKS = [(ip_network("127.0.0.0/8"), range(1024, 65_536))]


def registered(port: int = 8_001, **asked: Any) -> Backend:
    """Register a backend on this machine."""
    name = asked.pop("name", f"api-{uuid4().hex[:8]}")
    request = BackendRequest(name=name, host="127.0.0.1", port=port, **asked)
    return register_backend(request, by=Change(now=instant()))
