"""A WSGI application for tests of the web worker: it does what its path says."""

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs

_seen = 0

Start = Callable[[str, list[tuple[str, str]]], object]


def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Answer as the path says."""
    global _seen  # noqa: PLW0603  # one worker's requests
    asked = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    if environ["PATH_INFO"] == "/seen":
        return _answer(start, str(_seen).encode())
    _seen += 1
    answer: Callable[..., Iterable[bytes]] = _PATHS.get(environ["PATH_INFO"], _told)
    return answer(environ, start, asked)


def _answer(start: Start, body: bytes) -> list[bytes]:
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def _told(environ: dict[str, Any], start: Start, _asked: dict[str, str]) -> list[bytes]:
    body = environ["wsgi.input"].read()
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    return _answer(start, json.dumps({"environ": told, "body": body.decode("latin-1")}).encode())


def _sleep(_environ: dict[str, Any], start: Start, asked: dict[str, str]) -> list[bytes]:
    time.sleep(float(asked["seconds"]))
    return _answer(start, b"slept")


def _digest(environ: dict[str, Any], start: Start, _asked: dict[str, str]) -> list[bytes]:
    """Read a body piece by piece."""
    found, size = hashlib.sha256(), 0
    while piece := environ["wsgi.input"].read(100_000):
        found.update(piece)
        size += len(piece)
    return _answer(start, f"{size} {found.hexdigest()}".encode())


def _ignore(_environ: dict[str, Any], start: Start, _asked: dict[str, str]) -> list[bytes]:
    """Leave a body unread."""
    return _answer(start, b"not read")


def _long(_environ: dict[str, Any], start: Start, asked: dict[str, str]) -> Iterator[bytes]:
    """Answer in pieces, without saying how many; it may fail in the middle."""
    start("200 OK", [("Content-Type", "text/plain")])
    for number in range(int(asked["pieces"])):
        if asked.get("fails") == str(number):
            message = "in the middle"
            raise RuntimeError(message)
        yield b"x" * 1_000


def _short(_environ: dict[str, Any], start: Start, _asked: dict[str, str]) -> list[bytes]:
    """Say more than comes."""
    start("200 OK", [("Content-Length", "10")])
    return [b"12345"]


def _nothing(_environ: dict[str, Any], start: Start, _asked: dict[str, str]) -> list[bytes]:
    start("204 No Content", [("Content-Length", "0")])
    return []


def _excess(_environ: dict[str, Any], start: Start, _asked: dict[str, str]) -> list[bytes]:
    """Say less than comes, which would be taken for the next answer."""
    start("200 OK", [("Content-Length", "5")])
    return [b"12345", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"]


def _smuggle(_environ: dict[str, Any], start: Start, asked: dict[str, str]) -> list[bytes]:
    """Say one field in another."""
    start("200 OK", [("X-Name", asked["name"]), ("Content-Length", "2")])
    return [b"ok"]


def _headless(_environ: dict[str, Any], _start: Start, _asked: dict[str, str]) -> list[bytes]:
    return [b"no head"]


def _changed(_environ: dict[str, Any], start: Callable[..., object], _asked: object) -> list[bytes]:
    """Begin an answer, and think better of it."""
    start("200 OK", [])
    failure = RuntimeError("before anything was sent")
    start("503 Service Unavailable", [("Content-Length", "4")], (RuntimeError, failure, None))
    return [b"busy"]


def _slowly(_environ: dict[str, Any], start: Start, _asked: dict[str, str]) -> Iterator[bytes]:
    """Answer in pieces that take their time."""
    start("200 OK", [])
    for number in range(4):
        yield b"%d" % number
        time.sleep(0.6)


def _exit(_environ: dict[str, Any], _start: Start, _asked: dict[str, str]) -> list[bytes]:
    sys.exit("a thread of the application's own would end")


def _fail(_environ: dict[str, Any], _start: Start, _asked: dict[str, str]) -> list[bytes]:
    message = "at once"
    raise RuntimeError(message)


_PATHS: dict[str, Callable[..., Iterable[bytes]]] = {
    "/sleep": _sleep,
    "/digest": _digest,
    "/ignore": _ignore,
    "/long": _long,
    "/short": _short,
    "/nothing": _nothing,
    "/excess": _excess,
    "/smuggle": _smuggle,
    "/headless": _headless,
    "/changed": _changed,
    "/slowly": _slowly,
    "/exit": _exit,
    "/fail": _fail,
}
