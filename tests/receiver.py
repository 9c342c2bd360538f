"""A receiver of webhooks on this machine, which does to them what it is told to."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext


@dataclass(frozen=True, kw_only=True)
class Message:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The ``webhook-id``."""
        return self.headers["webhook-id"]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What to answer. Without a status the connection is closed and nothing said."""

    status: int | None = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)


Answering = Callable[[Message], Reply]


@dataclass
class Receiver:
    """Keeps what came, in the order in which it came, and answers by ``answering``."""

    address: str = ""
    answering: Answering = lambda _message: Reply()
    messages: list[Message] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, message: Message) -> Reply:
        """Keep a message and decide about it."""
        with self.lock:
            self.messages.append(message)
        return self.answering(message)


@contextmanager
def receiving(tls: SSLContext | None = None) -> Iterator[Receiver]:
    """Serve a receiver for the length of the block."""
    receiver = Receiver()

    class Handler(_Handler):
        kept = receiver

    with _Server(("127.0.0.1", 0), Handler) as server:
        scheme = "http"
        if tls is not None:
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        receiver.address = f"{scheme}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: callers that hang up are what it is there for."""


class _Handler(BaseHTTPRequestHandler):
    kept: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        reply = self.kept.take(Message(path=self.path, headers=dict(self.headers), body=body))
        if reply.status is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_arguments: object) -> None:
        pass
