"""A way to the bank on which answers get lost: a proxy that passes requests on, and does harm."""

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

PASSED_ON: Final = ("Accept", "Authorization", "Content-Type", "Idempotency-Key")


@dataclass(frozen=True)
class Passed:
    """One request that came by."""

    method: str
    path: str
    key: str | None


@dataclass
class Way:
    """The way to a bank: how many more answers to ``POST`` get lost, and what came by."""

    address: str = ""
    losses: int = 0
    passed: list[Passed] = field(default_factory=list)

    def keys_of(self, path: str) -> list[str | None]:
        """Return under which keys something was asked."""
        return [one.key for one in self.passed if one.path == path]


@contextmanager
def lossy_way(bank: str) -> Iterator[Way]:
    """Yield a way to the bank at an address."""
    way = Way()
    target = urlsplit(bank).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def log_message(self, format: str, *_values: object) -> None:  # noqa: A002  # as it is called
            """Say nothing."""

        def _pass_on(self) -> None:
            way.passed.append(Passed(self.command, self.path, self.headers["Idempotency-Key"]))
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            told = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            with closing(http.client.HTTPConnection(target, timeout=30)) as line:
                line.request(self.command, self.path, body, told)
                answer = line.getresponse()
                content = answer.read()
            if self.command == "POST" and way.losses:
                way.losses -= 1
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", str(answer.headers["Content-Type"]))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        way.address = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield way
        finally:
            server.shutdown()
            thread.join()
