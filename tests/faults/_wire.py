"""PostgreSQL's wire protocol, version 3, as far as the proxy must understand it. Pure."""

import re
from enum import StrEnum
from typing import Final

SSL_REQUEST: Final = 80_877_103
ENCRYPTION_REQUEST: Final = 80_877_104
NO_ENCRYPTION: Final = b"N"
HEAD: Final = 5
READY: Final = b"Z"
QUERY: Final = b"Q"
PARSE: Final = b"P"
BIND: Final = b"B"
# After these the client waits for an answer.
ENDS_A_TURN: Final = frozenset({QUERY, b"S", b"p"})


class Statement(StrEnum):
    """A statement of two-phase commit."""

    PREPARE = "PREPARE TRANSACTION"
    COMMIT = "COMMIT"
    COMMIT_PREPARED = "COMMIT PREPARED"


_COMMIT_ALONE: Final = re.compile(r"\bCOMMIT\b(?!\s+PREPARED)")


def statements_in(text: str) -> frozenset[Statement]:
    """Return which statements of two-phase commit a text holds."""
    upper = " ".join(text.upper().split())
    found = {each for each in (Statement.PREPARE, Statement.COMMIT_PREPARED) if each in upper}
    if _COMMIT_ALONE.search(upper):
        found.add(Statement.COMMIT)
    return frozenset(found)


class Conversation:
    """One client's words: texts it had parsed stay known by their names until it runs them."""

    def __init__(self) -> None:
        """Begin without any text."""
        self._texts: dict[bytes, str] = {}

    def heard(self, kind: bytes, payload: bytes) -> frozenset[Statement]:
        """Return which statements the server would run on this message."""
        if kind == QUERY:
            return statements_in(_text(payload[:-1]))
        if kind == PARSE:
            name, text, _types = payload.split(b"\0", 2)
            self._texts[name] = _text(text)
        if kind == BIND:
            _portal, name, _values = payload.split(b"\0", 2)
            return statements_in(self._texts.get(name, ""))
        return frozenset()


def application_of(startup: bytes) -> str:
    """Return the application name of a start-up message, without its length and version."""
    words = [_text(word) for word in startup.split(b"\0")]
    settings = dict(zip(words[::2], words[1::2], strict=False))
    return settings.get("application_name", "")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")
