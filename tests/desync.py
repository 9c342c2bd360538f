"""What is held of any bytes whatever that a client may say to the balancer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from tests.balancing import Laboratory, Seen
from tests.hostile import ADMITTED, REFUSED

_SOUND: Final = [raw for raw, _ in ADMITTED.values()]
CORPUS: Final = [*REFUSED.values(), *_SOUND]
_TOKENS: Final = [
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b" ", b"\t", b"\x0b", b"\x7f", b"\xff", b":"),
    *(b";", b",", b"0", b"5", b"+", b"-", b"_", b"0x", b"chunked", b"identity", b"close"),
    *(b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(b"Transfer-Encoding:\x0bchunked\r\n", b"Host: evil.example\r\n", b"Connection: close\r\n"),
    *(b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"Expect: 100-continue\r\n"),
    *(b"0\r\n\r\n", b"5\r\nhello\r\n", b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.0"),
]
_MOST_BYTES: Final = 40_000
_PART_SOUND: Final = 0.7
_COUNTED: Final = ("cases", "admitted", "seen", "read_by_gunicorn_too")


class DesyncFoundError(AssertionError):
    """What was admitted, what was seen and what was answered are not the same."""


def mutated(dice: Random) -> bytes:
    """Return a known case changed in one to four places, a sound one more often than not."""
    raw = dice.choice(_SOUND if dice.random() < _PART_SOUND else CORPUS)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(raw) + 1)
        end = min(len(raw), at + dice.choice((1, 1, 2, 8, 40)))
        raw = _changed(raw, at, end, dice)[:_MOST_BYTES]
    return raw


def _changed(raw: bytes, at: int, end: int, dice: Random) -> bytes:
    middle = dice.choice(
        (
            b"",
            raw[at:end] * 2,
            raw[at:end].swapcase(),
            dice.choice(_TOKENS),
            dice.choice(_TOKENS) + raw[at:end],
            bytes([dice.randrange(256)]),
            dice.choice(CORPUS)[:200],
        )
    )
    return raw[:at] + middle + raw[end:]


@dataclass
class Oracle:
    """Says bytes to a balancer, and holds that admitted is seen is answered."""

    lab: Laboratory
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))

    async def hold(self, raw: bytes, *pieces: bytes) -> None:
        """Say the bytes, whole or in these pieces.

        Raises ``DesyncFoundError``.
        """
        backend, counters = self.lab.backends[0], self.lab.balancer.counters
        backend.seen.clear()
        heads, admitted = backend.heads, counters.admitted
        answers = await self.lab.say(*(pieces or (raw,)))
        await self.lab.until(lambda: not self.lab.balancer.clients)
        self.lab.prove_nothing_is_left()
        self.counts["cases"] += 1
        self.counts["admitted"] += counters.admitted - admitted
        self.counts["seen"] += len(backend.seen)
        expected = [f"{one.method} {one.target} {len(one.body)}" for one in backend.seen]
        told = list(_told(answers))
        self._agree(raw, backend.faults == [], f"a backend got {backend.faults}")
        self._agree(raw, told == expected, f"answered {told}, seen {expected}")
        whole = counters.admitted - admitted >= backend.heads - heads >= len(backend.seen)
        self._agree(raw, whole, "more was seen than admitted")
        self._agree(raw, counters.retries == counters.broken == 0, "something was sent twice")
        self._compare(raw, backend.seen)

    def _compare(self, raw: bytes, seen: list[Seen]) -> None:
        """Hold that gunicorn, which reads HTTP by a parser of its own, reads the same requests."""
        found = list(_read_by_gunicorn(raw, len(seen)))
        for ours, theirs in zip(seen, found, strict=False):
            same = (ours.method, ours.target, ours.body) == theirs
            self._agree(raw, same, f"gunicorn reads {theirs}, a backend {ours}")
        self.counts["read_by_gunicorn_too"] += len(found)

    @staticmethod
    def _agree(raw: bytes, true: bool, why: str) -> None:  # noqa: FBT001  # what is held
        if not true:
            message = f"{why}, of {raw!r}"
            raise DesyncFoundError(message)


def _told(answers: bytes) -> Iterator[str]:
    """Return what the backend's own answers say, in their order; a HEAD's says it in its head."""
    while answers:
        head, _, answers = answers.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            continue
        lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(lines[b"Content-Length"])
        if not head.startswith(b"HTTP/1.1 200 OK"):
            answers = answers[length:]
        elif answers[:5] == b"HTTP/" or not answers:
            yield f"HEAD {lines[b'X-Seen'].decode()} 0"
        else:
            yield answers[:length].decode()
            answers = answers[length:]


def _read_by_gunicorn(raw: bytes, most: int) -> Iterator[tuple[str, str, bytes]]:
    config = Config()
    config.set("header_map", "drop")
    config.set("limit_request_line", 8190)
    try:
        requests = RequestParser(config, iter([raw]), ("127.0.0.1", 1))
        for _ in range(most):
            request = next(requests)
            yield request.method, request.uri, request.body.read()
    except (ParseException, StopIteration, ValueError, OSError):
        return
