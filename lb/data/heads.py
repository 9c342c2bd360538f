"""Heads of HTTP/1.1 messages: read strictly, and written anew.

llhttp (by httptools) reads them in its strict mode, and gets exactly the bytes of one head, so that
what it would do with bytes beyond never matters. What it tolerates and others read differently is
refused here. Nothing is repaired: what is refused reaches nobody.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from httptools import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
    HttpResponseParser,
)

from lb import secret

END: Final = b"\r\n\r\n"
MAX_HEAD: Final = 16_384
MOST_REMEMBERED: Final = 2_048
"""A connection remembers its last head, when it is no longer than this."""
MAX_TARGET: Final = 8_192
MAX_FIELDS: Final = 100
MAX_LENGTH_DIGITS: Final = 15

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})
_BODILESS: Final = frozenset({101, 204, 304})
_KNOWN_TOKENS: Final = frozenset(
    {b"close", b"keep-alive", b"upgrade", b"te", b"http2-settings", b"proxy-connection"}
)
_HOST_CHARACTERS: Final = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]"
_TARGET_CHARACTERS: Final = bytes(range(0x21, 0x7F)).replace(b"#", b"")
_KEY_CHARACTERS: Final = bytes(range(0x20, 0x7F))
_UUID_LENGTH: Final = 36
_ZERO: Final = ord("0")
_LOWEST: Final = 100
_HIGHEST: Final = 599
_REASONS: Final = {int(one): one.phrase.encode() for one in HTTPStatus}


class RefusedError(Exception):
    """The message is not passed on; ``status`` and ``reason`` are for its sender."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class RequestHead:
    """A request that is admitted: what it asks, and its lines as they are sent on."""

    __slots__ = (
        "chunked",
        "close",
        "expects",
        "has_body",
        "is_old",
        "length",
        "lines",
        "method",
        "repeatable",
        "request_id",
        "target",
        "upgrade",
    )

    def __init__(
        self, method: str, target: bytes, reader: "_RequestReader", *, is_old: bool
    ) -> None:
        self.method = method
        self.target = target
        self.is_old = is_old
        self.length = reader.length
        self.chunked = reader.chunked
        self.has_body = reader.chunked or bool(reader.length)
        self.close = is_old or b"close" in reader.tokens
        self.expects = reader.expects and not is_old
        self.upgrade = (
            reader.upgrade and b"upgrade" in reader.tokens and method == "GET" and not is_old
        )
        self.request_id = reader.request_id
        line = b"%b %b HTTP/1.1\r\n" % (method.encode(), target)
        self.lines = b"".join((line, *reader.lines, self._framing()))
        self.repeatable = method in _WITHOUT_BODY or (method == "POST" and reader.keyed)

    def _framing(self) -> bytes:
        if self.upgrade:
            return b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        if self.chunked:
            return b"Transfer-Encoding: chunked\r\n"
        return b"" if self.length is None else b"Content-Length: %d\r\n" % self.length


class ResponseHead:
    """An answer's head: its lines as they are sent on, and how its body is framed."""

    __slots__ = ("chunked", "close", "is_bodiless", "length", "lines", "status", "websocket")

    def __init__(self, status: int, reader: "_ResponseReader", *, is_old: bool) -> None:
        self.status = status
        self.is_bodiless = status in _BODILESS
        self.length = reader.length
        framing = b""
        if self.length is not None and not self.is_bodiless:
            framing = b"Content-Length: %d\r\n" % self.length
        self.lines = b"".join((status_line(status), *reader.lines, framing))
        self.chunked = reader.chunked
        self.close = is_old or b"close" in reader.tokens
        self.websocket = reader.upgrade


def status_line(status: int) -> bytes:
    """Return the first line of an answer, in our own words."""
    return b"HTTP/1.1 %d %b\r\n" % (status, _REASONS.get(status, b"Unknown"))


class _Reader:
    """What both kinds of heads have in common; httptools calls the ``on_`` methods."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget the last head."""
        self.lines: list[bytes] = []
        self.count = 0
        self.fault: RefusedError | None = None
        self.length: int | None = None
        self.chunked = False
        self.tokens: frozenset[bytes] = frozenset()
        self.upgrade = False

    def refuse(self, status: int, reason: str) -> None:
        """Note the first reason for which this head is refused."""
        self.fault = self.fault or RefusedError(status, reason)

    def on_length(self, value: bytes) -> None:
        """Take Content-Length: digits, once."""
        if self.length is not None or self.chunked:
            self.refuse(400, "more than one length")
        elif not value.isdigit() or len(value) > MAX_LENGTH_DIGITS:
            self.refuse(400, "Content-Length is no length")
        else:
            self.length = int(value)

    def on_coding(self, value: bytes) -> None:
        """Take Transfer-Encoding: chunked, once, and nothing else."""
        if self.chunked or self.length is not None:
            self.refuse(400, "more than one length")
        elif value.lower() != b"chunked":
            self.refuse(501, "Transfer-Encoding must be chunked")
        self.chunked = True

    def on_connection(self, value: bytes) -> None:
        """Take what this connection alone is told."""
        found = frozenset(token.strip(b" \t") for token in value.lower().split(b","))
        self.tokens |= found

    def on_hop(self, value: bytes) -> None:
        """Pass over a field that concerns one connection alone."""


class _RequestReader(_Reader):
    def begin(self) -> None:
        super().begin()
        self.url: bytes | None = None
        self.hosts = 0
        self.expects = False
        self.keyed = False
        self.request_id: bytes | None = None

    def on_url(self, url: bytes) -> None:
        if self.url is not None:
            self.refuse(400, "two requests in one head")
        self.url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.count += 1
        lower = name.lower()
        value = value.rstrip(b" \t")
        meaning = _REQUEST_FIELDS.get(lower)
        if meaning is not None:
            meaning(self, value)
        elif b"_" in lower:
            # Gateways to Python read X_Y as X-Y: the name means two things.
            self.refuse(400, "an underscore in the name of a field")
        elif not lower.startswith(b"x-forwarded"):
            self.lines.append(b"%b: %b\r\n" % (name, value))

    def on_host(self, value: bytes) -> None:
        self.hosts += 1
        if not value or value.translate(None, _HOST_CHARACTERS):
            self.refuse(400, "Host is no host")
        self.lines.append(b"Host: %b\r\n" % value)

    def on_expect(self, value: bytes) -> None:
        if value.lower() != b"100-continue":
            self.refuse(417, "Expect may be 100-continue alone")
        self.expects = True

    def on_key(self, value: bytes) -> None:
        if self.keyed or not value or value.translate(None, _KEY_CHARACTERS):
            self.refuse(400, "Idempotency-Key must be one, of printable characters")
        self.keyed = True
        self.lines.append(b"Idempotency-Key: %b\r\n" % value)

    def on_request_id(self, value: bytes) -> None:
        if len(value) == _UUID_LENGTH and not value.translate(None, b"0123456789abcdef-"):
            self.request_id = value

    def on_upgrade(self, value: bytes) -> None:
        # An offer of another protocol may be passed over: who offers it goes on with this one.
        self.upgrade = self.upgrade or value.lower() == b"websocket"


class _WholeReader(_RequestReader):
    """Keeps all fields, also what a balancer before this one has added."""

    def begin(self) -> None:
        super().begin()
        self.fields: list[tuple[bytes, bytes]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self.fields.append((name.lower(), value.rstrip(b" \t")))


class _ResponseReader(_Reader):
    def on_header(self, name: bytes, value: bytes) -> None:
        self.count += 1
        meaning = _RESPONSE_FIELDS.get(name.lower())
        if meaning is not None:
            meaning(self, value.rstrip(b" \t"))
        else:
            self.lines.append(b"%b: %b\r\n" % (name, value.rstrip(b" \t")))

    def on_upgrade(self, value: bytes) -> None:
        self.upgrade = value.lower() == b"websocket"


_RequestField = Callable[[_RequestReader, bytes], None]
_REQUEST_FIELDS: Final[dict[bytes, _RequestField]] = {
    b"host": _RequestReader.on_host,
    b"content-length": _RequestReader.on_length,
    b"transfer-encoding": _RequestReader.on_coding,
    b"connection": _RequestReader.on_connection,
    b"upgrade": _RequestReader.on_upgrade,
    b"expect": _RequestReader.on_expect,
    b"idempotency-key": _RequestReader.on_key,
    b"x-request-id": _RequestReader.on_request_id,
    # Who asks is what the socket says, whatever the request says.
    **dict.fromkeys(
        (
            *(b"forwarded", b"via", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip"),
            *(b"true-client-ip", b"cf-connecting-ip", b"x-original-url", b"x-rewrite-url"),
            *(b"x-scheme", b"x-original-host", b"x-host"),
            *(b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"trailer"),
            *(b"http2-settings", secret.HEADER.lower().encode()),
        ),
        _RequestReader.on_hop,
    ),
}
_ResponseField = Callable[[_ResponseReader, bytes], None]
_RESPONSE_FIELDS: Final[dict[bytes, _ResponseField]] = {
    b"content-length": _ResponseReader.on_length,
    b"transfer-encoding": _ResponseReader.on_coding,
    b"connection": _ResponseReader.on_connection,
    b"upgrade": _ResponseReader.on_upgrade,
    **dict.fromkeys(
        (b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"te", b"trailer"),
        _ResponseReader.on_hop,
    ),
}


class HeadParser:
    """Reads whole heads. Each gets a parser of its own: nothing of one is left for the next."""

    def __init__(self) -> None:
        self._request = _RequestReader()
        self._whole = _WholeReader()
        self._response = _ResponseReader()

    def request(self, head: bytes) -> RequestHead:
        """Return the request whose head, blank line included, is ``head``.

        Raises ``RefusedError``.
        """
        return _read_request(self._request, head)

    def whole_request(self, head: bytes) -> tuple[RequestHead, list[tuple[bytes, bytes]]]:
        """Return the same, and all its fields, names in lower case: for who answers it.

        Raises ``RefusedError``.
        """
        return _read_request(self._whole, head), self._whole.fields

    def response(self, head: bytes) -> ResponseHead:
        """Return the answer whose head, blank line included, is ``head``.

        Raises ``RefusedError``.
        """
        reader = self._response
        reader.begin()
        parser = HttpResponseParser(reader)
        _feed(parser, head)
        return _believed(reader, head, parser.get_status_code())


def _read_request(reader: _RequestReader, head: bytes) -> RequestHead:
    reader.begin()
    parser = HttpRequestParser(reader)
    _feed(parser, head)
    return _admitted(reader, head, parser.get_method())


def _feed(parser: HttpRequestParser | HttpResponseParser, head: bytes) -> None:
    try:
        parser.feed_data(head)
    except HttpParserUpgrade:  # it ends the head, and there is nothing behind it
        pass
    except HttpParserInvalidMethodError:
        raise RefusedError(501, "unknown method") from None
    except HttpParserError as error:
        raise RefusedError(400, str(error)) from None


def _admitted(reader: _RequestReader, head: bytes, method: bytes) -> RequestHead:
    """Return the request, when all of its head means one thing."""
    target = reader.url
    if target is None or not head.startswith(b"%b %b HTTP/1." % (method, target)):
        raise RefusedError(400, "the request line is not of one method, one target, one version")
    version = head[len(method) + len(target) + 9 : len(method) + len(target) + 12]
    if version not in (b"1\r\n", b"0\r\n"):
        raise RefusedError(505, "the version is neither 1.1 nor 1.0")
    if reader.fault is not None:
        raise reader.fault
    _hold_to_target(target)
    found = RequestHead(method.decode("ascii"), target, reader, is_old=version[0] == _ZERO)
    _hold_to_rules(reader, found)
    return found


def _hold_to_target(target: bytes) -> None:
    if len(target) > MAX_TARGET:
        raise RefusedError(414, "the target is too long")
    if not target.startswith(b"/") or target.translate(None, _TARGET_CHARACTERS):
        raise RefusedError(400, "the target is no path of printable characters")


def _hold_to_rules(reader: _RequestReader, found: RequestHead) -> None:
    if found.method not in _METHODS:
        raise RefusedError(501, "unknown method")
    if reader.count > MAX_FIELDS:
        raise RefusedError(431, "too many fields")
    if reader.hosts != 1:
        raise RefusedError(400, "Host must be given once")
    if reader.tokens and not reader.tokens <= _KNOWN_TOKENS:
        raise RefusedError(400, "Connection names a field that others need")
    if found.is_old and found.chunked:
        raise RefusedError(400, "HTTP/1.0 knows no Transfer-Encoding")
    if found.has_body and (found.method in _WITHOUT_BODY or found.upgrade):
        raise RefusedError(400, "a body where none belongs")


def _believed(reader: _ResponseReader, head: bytes, status: int) -> ResponseHead:
    """Return the answer, when all of its head means one thing."""
    is_old = head.startswith(b"HTTP/1.0 %03d" % status)
    if not is_old and not head.startswith(b"HTTP/1.1 %03d" % status):
        raise RefusedError(502, "the status line is not of one version and one status")
    if reader.fault is not None:
        raise reader.fault
    if reader.count > MAX_FIELDS or not _LOWEST <= status <= _HIGHEST:
        raise RefusedError(502, "too many fields, or no known kind of status")
    if is_old and reader.chunked:
        raise RefusedError(502, "HTTP/1.0 knows no Transfer-Encoding")
    if reader.chunked and status in _BODILESS:
        raise RefusedError(502, "a body where none belongs")
    return ResponseHead(status, reader, is_old=is_old)
