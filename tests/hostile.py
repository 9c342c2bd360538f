"""Requests that are read differently by different servers, each under its name.

After CL.TE and its kin, the HTTP Garden's findings, llhttp's own cases and published faults of
aiohttp, gunicorn, HAProxy, Tornado and h11.
"""

from typing import Final

_HOST: Final = b"Host: bank.example\r\n"


def _post(fields: bytes, body: bytes = b"") -> bytes:
    return b"POST /pay HTTP/1.1\r\n" + _HOST + fields + b"\r\n" + body


def _get(fields: bytes = b"", line: bytes = b"GET /pay HTTP/1.1") -> bytes:
    return line + b"\r\n" + _HOST + fields + b"\r\n"


def _chunked(body: bytes) -> bytes:
    return _post(b"Transfer-Encoding: chunked\r\n", body)


SMUGGLED: Final = b"GET /smuggled HTTP/1.1\r\nHost: bank.example\r\n\r\n"

_LENGTHS: Final = {
    "plus": b"+5",
    "minus": b"-5",
    "underscore": b"1_0",
    "hexadecimal": b"0x5",
    "empty": b"",
    "space within": b"5 5",
    "comma": b"5, 5",
    "comma, other": b"5, 6",
    "point": b"5.0",
    "exponent": b"5e0",
    "overflow": b"18446744073709551621",
    "long overflow": b"9" * 40,
    "full-width digits": "\uff15".encode(),
    "superscript": "\u00b2".encode(),
    "latin-1 superscript": b"\xb2",
    "NUL": b"5\x00",
    "vertical tab": b"\x0b5",
    "form feed": b"5\x0c",
    "letters": b"five",
    "semicolon": b"5;5",
    "quoted": b'"5"',
}
_CODINGS: Final = {
    "identity": b"identity",
    "gzip, chunked": b"gzip, chunked",
    "chunked, gzip": b"chunked, gzip",
    "chunked, chunked": b"chunked, chunked",
    "chunked, identity": b"chunked, identity",
    "leading comma": b",chunked",
    "trailing comma": b"chunked,",
    "unknown": b"xchunked",
    "vertical tab": b"\x0bchunked",
    "form feed": b"chunked\x0c",
    "quoted": b'"chunked"',
    "parameter": b"chunked;q=1",
    "NUL": b"chunked\x00",
    "empty": b"",
    "no-break space": b"\xa0chunked",
    "bell": b"chunked\x07",
}
_SIZES: Final = {
    "hexadecimal prefix": b"0x5",
    "underscore": b"0_5",
    "plus": b"+5",
    "minus": b"-5",
    "leading space": b" 5",
    "trailing space": b"5 ",
    "trailing tab": b"5\t",
    "empty": b"",
    "letters": b"g",
    "overflow": b"10000000000000005",
    "longer overflow": b"f" * 17 + b"5",
    "NUL": b"5\x00",
    "full-width digits": "\uff15".encode(),
    "carriage return in an extension": b"5;a\rb",
    "line feed in an extension": b"5;a\nb",
    "NUL in an extension": b"5;a\x00b",
    "extension without semicolon": b"5 a=b",
    "endless extension": b"5;" + b"a" * 20_000,
}
_LINES: Final = {
    "two spaces": b"GET  /pay HTTP/1.1",
    "tab": b"GET\t/pay HTTP/1.1",
    "space behind": b"GET /pay HTTP/1.1 ",
    "space before": b" GET /pay HTTP/1.1",
    "space in target": b"GET /p ay HTTP/1.1",
    "no version": b"GET /pay",
    "version 0.9": b"GET /pay HTTP/0.9",
    "version 1.2": b"GET /pay HTTP/1.2",
    "version 2.0": b"GET /pay HTTP/2.0",
    "version 1.10": b"GET /pay HTTP/1.10",
    "version 1": b"GET /pay HTTP/1",
    "version 11": b"GET /pay HTTP/11.1",
    "other protocol": b"GET /pay HTTQ/1.1",
    "small protocol": b"GET /pay http/1.1",
    "small method": b"get /pay HTTP/1.1",
    "unknown method": b"PAY /pay HTTP/1.1",
    "no method": b"/pay HTTP/1.1",
    "CONNECT": b"CONNECT bank.example:443 HTTP/1.1",
    "TRACE": b"TRACE /pay HTTP/1.1",
    "PRI": b"PRI * HTTP/2.0",
    "asterisk": b"OPTIONS * HTTP/1.1",
    "absolute target, other host": b"GET http://evil.example/pay HTTP/1.1",
    "absolute target, same host": b"GET http://bank.example/pay HTTP/1.1",
    "target without slash": b"GET pay HTTP/1.1",
    "fragment": b"GET /pay#top HTTP/1.1",
    "NUL in target": b"GET /p\x00ay HTTP/1.1",
    "carriage return in target": b"GET /p\ray HTTP/1.1",
    "delete in target": b"GET /p\x7fay HTTP/1.1",
    "beyond ASCII in target": b"GET /p\xc3\xa4y HTTP/1.1",
    "method with brackets": b"GE(T /pay HTTP/1.1",
}
_FIELDS: Final = {
    "space before the colon": b"X-A : b\r\n",
    "tab before the colon": b"X-A\t: b\r\n",
    "no colon": b"X-A\r\n",
    "no name": b": b\r\n",
    "space before the name": b" X-A: b\r\n",
    "folded": b"X-A: b\r\n c\r\n",
    "folded by tab": b"X-A: b\r\n\tc\r\n",
    "folded length": b"Content-Length:\r\n 0\r\n",
    "NUL in value": b"X-A: b\x00c\r\n",
    "NUL in name": b"X-\x00A: b\r\n",
    "carriage return in value": b"X-A: b\rc\r\n",
    "line feed in value": b"X-A: b\nTransfer-Encoding: chunked\r\n",
    "line feed alone": b"X-A: b\nX-C: d\r\n",
    "carriage return before the end": b"X-A: b\r\r\n",
    "bell in value": b"X-A: b\x07\r\n",
    "delete in value": b"X-A: b\x7f\r\n",
    "bracket in name": b"X(A: b\r\n",
    "beyond ASCII in name": b"X-\xe4: b\r\n",
    "underscore in name": b"Content_Length: 5\r\n",
    "forged by underscore": b"X_Forwarded_For: 9.9.9.9\r\n",
    "two hosts": b"Host: evil.example\r\n",
    "connection names the authorization": b"Connection: close, authorization\r\n",
    "connection names the length": b"Connection: content-length\r\n",
    "connection names who asks": b"Connection: X-Forwarded-For\r\n",
    "expects otherwise": b"Expect: 200-ok\r\n",
    "two keys": b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n",
    "a body of a GET": b"Content-Length: 5\r\n",
    "chunks of a GET": b"Transfer-Encoding: chunked\r\n",
    "a body of an upgrade": b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n",
    "too many fields": b"X-A: b\r\n" * 101,
    "too long": b"X-A: " + b"b" * 17_000 + b"\r\n",
}

REFUSED: Final[dict[str, bytes]] = {
    **{
        f"Content-Length: {name}": _post(b"Content-Length: " + value + b"\r\n", b"hello")
        for name, value in _LENGTHS.items()
    },
    "Content-Length twice": _post(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"),
    "Content-Length twice, other": _post(b"Content-Length: 5\r\ncontent-length: 6\r\n", b"hello"),
    "CL.TE": _post(b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "TE.CL": _post(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"0\r\n\r\n" + SMUGGLED),
    "TE.TE": _post(
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n" + SMUGGLED
    ),
    "TE twice": _post(
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED
    ),
    "TE of HTTP/1.0": _chunked(b"0\r\n\r\n" + SMUGGLED).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    "TE with a space before the colon": _post(
        b"Content-Length: 5\r\nTransfer-Encoding : chunked\r\n", b"0\r\n\r\n" + SMUGGLED
    ),
    "TE behind a line feed": _post(
        b"X: y\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + SMUGGLED
    ),
    **{
        f"Transfer-Encoding: {name}": _post(
            b"Transfer-Encoding: " + value + b"\r\n", b"5\r\nhello\r\n0\r\n\r\n" + SMUGGLED
        )
        for name, value in _CODINGS.items()
    },
    **{
        f"size of a chunk: {name}": _chunked(value + b"\r\nhello\r\n0\r\n\r\n" + SMUGGLED)
        for name, value in _SIZES.items()
    },
    "chunk longer than its size": _chunked(b"4\r\nhello\r\n0\r\n\r\n" + SMUGGLED),
    "chunk ended by letters": _chunked(b"5\r\nhelloXX0\r\n\r\n" + SMUGGLED),
    "chunk ended by line feed": _chunked(b"5\r\nhello\n0\r\n\r\n" + SMUGGLED),
    "size ended by line feed": _chunked(b"5\nhello\r\n0\r\n\r\n" + SMUGGLED),
    "last chunk ended by line feed": _chunked(b"5\r\nhello\r\n0\n\n" + SMUGGLED),
    "trailer without colon": _chunked(b"0\r\nsmuggled\r\n\r\n"),
    "trailer folded": _chunked(b"0\r\nX: y\r\n z\r\n\r\n"),
    "trailer with a space before the colon": _chunked(b"0\r\nX : y\r\n\r\n"),
    "endless trailers": _chunked(b"0\r\n" + b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 1000),
    **{f"request line: {name}": _get(line=line) for name, line in _LINES.items()},
    **{f"field: {name}": _get(fields) for name, fields in _FIELDS.items()},
    "no host": b"GET /pay HTTP/1.1\r\nX: y\r\n\r\n",
    "host empty": b"GET /pay HTTP/1.1\r\nHost:\r\n\r\n",
    "host with a path": b"GET /pay HTTP/1.1\r\nHost: bank.example/x\r\n\r\n",
    "host with a user": b"GET /pay HTTP/1.1\r\nHost: a@bank.example\r\n\r\n",
    "host with a comma": b"GET /pay HTTP/1.1\r\nHost: a,b\r\n\r\n",
    "HTTP/0.9": b"GET /pay\r\n\r\n",
    "line feeds only": b"GET /pay HTTP/1.1\nHost: bank.example\n\n\r\n\r\n",
    "carriage returns only": b"GET /pay HTTP/1.1\rHost: bank.example\r\r\r\n\r\n",
    "empty line first": b"\r\n" + _get(),
    "two empty lines first": b"\r\n\r\n" + _get(),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "PROXY protocol": b"PROXY TCP4 9.9.9.9 127.0.0.1 1 2\r\n" + _get(),
    "target too long": _get(line=b"GET /" + b"a" * 9000 + b" HTTP/1.1"),
    "nothing but letters": b"a" * 20_000,
}
"""Each is answered once by an error, the connection ends, and no backend hears of it whole."""

ADMITTED: Final[dict[str, tuple[bytes, list[str]]]] = {
    "CL.0": (_post(b"Content-Length: 0\r\n", SMUGGLED), ["/pay", "/smuggled"]),
    "a length that covers a request": (
        _post(b"Content-Length: %d\r\n" % len(SMUGGLED), SMUGGLED),
        ["/pay"],
    ),
    "chunks that cover a request": (
        _chunked(b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)),
        ["/pay"],
    ),
    "pipelined": (_get() + SMUGGLED + _get(), ["/pay", "/smuggled", "/pay"]),
    "pipelined behind chunks": (_chunked(b"0\r\n\r\n") + SMUGGLED, ["/pay", "/smuggled"]),
    "pipelined behind a close": (_get(b"Connection: close\r\n") + SMUGGLED, ["/pay"]),
    "pipelined behind HTTP/1.0": (_get(line=b"GET /pay HTTP/1.0") + SMUGGLED, ["/pay"]),
    "pipelined before an error": (_get() + b"GET  / HTTP/1.1\r\n\r\n" + SMUGGLED, ["/pay"]),
    "extension of a chunk": (_chunked(b"5;a=b\r\nhello\r\n0\r\n\r\n"), ["/pay"]),
    "size with leading zeros": (_chunked(b"0005\r\nhello\r\n000\r\n\r\n"), ["/pay"]),
    "trailer": (_chunked(b"5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"), ["/pay"]),
    "length with leading zeros": (_post(b"Content-Length: 0005\r\n", b"hello"), ["/pay"]),
    "length with spaces around": (_post(b"Content-Length: \t 5 \t\r\n", b"hello"), ["/pay"]),
    "CHUNKED": (_post(b"TRANSFER-ENCODING: CHUNKED\r\n", b"0\r\n\r\n"), ["/pay"]),
    "offer of HTTP/2": (
        _get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"),
        ["/pay"],
    ),
    "upgrade that is passed over, and a request behind": (
        _get(b"Upgrade: websocket\r\n") + SMUGGLED,
        ["/pay", "/smuggled"],
    ),
    "HEAD": (_get(line=b"HEAD /pay HTTP/1.1") + SMUGGLED, ["/pay", "/smuggled"]),
    "a POST without length": (_post(b"") + SMUGGLED, ["/pay", "/smuggled"]),
}
"""Each with the targets that a backend hears of, and no others."""
