"""What the balancer shall do: one frozen, versioned value that both its planes share.

Read strictly: an unknown field, a number out of its range or a field given twice is refused, so
that a snapshot either means what its writer meant or changes nothing.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, Final, NoReturn

MAX_BYTES: Final = 4 * 2**20
_MAX_PORT: Final = 65_535
_DAY: Final = 86_400.0


class SnapshotInvalidError(ValueError):
    """The text is no snapshot; the message names the field."""

    def __init__(self, *, where: str = "the snapshot", why: str) -> None:
        super().__init__(f"{where}: {why}")


class Policy(StrEnum):
    """How the backend of a request is chosen."""

    HYBRID = "hybrid"
    ROUND_ROBIN = "round-robin"
    LEAST_CONNECTIONS = "least-connections"
    LEAST_REQUEST = "p2c-least-request"
    PEAK_EWMA = "peak-ewma"
    RANDOM = "random"


class State(StrEnum):
    """Whether a backend gets new requests; one that is not named any more drains too."""

    READY = "ready"
    DRAINING = "draining"


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A server that answers requests. Its host is an IP address: no name is looked up."""

    name: str
    host: str
    port: int
    weight: int = 100
    state: State = State.READY


@dataclass(frozen=True, kw_only=True)
class Check:
    """The request that asks a backend whether it is well, and how many answers settle it."""

    path: str = "/health"
    host: str = "localhost"
    interval_seconds: float = 1.0
    timeout_seconds: float = 1.0
    rise: int = 2
    fall: int = 2


@dataclass(frozen=True, kw_only=True)
class Deadlines:
    """How long each side may take, in seconds."""

    header_seconds: float = 10.0
    body_seconds: float = 20.0
    connect_seconds: float = 1.0
    backend_seconds: float = 60.0
    idle_seconds: float = 60.0
    pool_seconds: float = 1.5
    tunnel_seconds: float = 3600.0
    drain_seconds: float = 30.0


@dataclass(frozen=True, kw_only=True)
class RateLimit:
    """What one client may ask of a data plane: so many a second, and so many at once."""

    requests_per_second: float
    burst: int


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All that a data plane obeys. A higher version replaces a lower one, never the other way."""

    version: int
    backends: tuple[Backend, ...]
    policy: Policy = Policy.HYBRID
    check: Check = field(default_factory=Check)
    deadlines: Deadlines = field(default_factory=Deadlines)
    rate_limit: RateLimit | None = None


def write_snapshot(snapshot: Snapshot) -> bytes:
    """Return the JSON that ``read_snapshot`` reads back as the same value."""
    return json.dumps(asdict(snapshot), indent=2).encode() + b"\n"


def read_snapshot(text: bytes) -> Snapshot:
    """Return the snapshot that the JSON says.

    Raises ``SnapshotInvalidError`` when it is anything but a whole and sound one.
    """
    if len(text) > MAX_BYTES:
        raise SnapshotInvalidError(why=f"is longer than {MAX_BYTES} bytes")
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_constant)
    except SnapshotInvalidError:
        raise
    except (ValueError, RecursionError) as error:
        raise SnapshotInvalidError(why=f"is not JSON: {error}") from None
    return _snapshot(_Fields(found, ""))


class _Fields:
    """The fields of one JSON object, each taken once; what nobody takes is refused."""

    def __init__(self, found: Any, where: str) -> None:
        if not isinstance(found, dict):
            raise SnapshotInvalidError(where=where or "the snapshot", why="is no object")
        self._left = dict(found)
        self._where = where

    def given(self, name: str) -> Any:
        """Take a field; None when it is not there."""
        return self._left.pop(name, None)

    def integer(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Take a whole number of a range."""
        value = self._value(name, default)
        if type(value) is not int or not low <= value <= high:
            self.refuse(name, f"must be a whole number from {low} to {high}")
        return value

    def number(self, name: str, default: float | None, high: float = _DAY) -> float:
        """Take a positive number."""
        value = self._value(name, default)
        if type(value) not in (int, float) or not 0 < value <= high:
            self.refuse(name, f"must be a number above 0, at most {high:g}")
        return float(value)

    def text(self, name: str, default: str | None = None, *, most: int = 200) -> str:
        """Take printable ASCII without spaces."""
        value = self._value(name, default)
        if not isinstance(value, str) or not 0 < len(value) <= most or not _is_word(value):
            self.refuse(name, f"must be 1 to {most} printable ASCII characters, no spaces")
        return value

    def choice(self, name: str, among: type[StrEnum], default: StrEnum) -> Any:
        """Take one of the words of ``among``."""
        value = self._value(name, default.value)
        if value not in [str(one) for one in among]:
            self.refuse(name, f"must be one of {', '.join(among)}")
        return among(value)

    def inner(self, name: str) -> "_Fields":
        """Take an object; an absent one has no fields."""
        return _Fields(self._left.pop(name, {}), self._path(name))

    def end(self) -> None:
        """Refuse what nobody took."""
        for name in self._left:
            self.refuse(name, "is no field of a snapshot")

    def refuse(self, name: str, why: str) -> NoReturn:
        """Refuse the snapshot for this field."""
        raise SnapshotInvalidError(where=self._path(name), why=why)

    def _value(self, name: str, default: Any) -> Any:
        if name not in self._left and default is None:
            self.refuse(name, "is missing")
        return self._left.pop(name, default)

    def _path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name


def _snapshot(fields: _Fields) -> Snapshot:
    snapshot = Snapshot(
        version=fields.integer("version", 1, 2**63 - 1),
        backends=_backends(fields),
        policy=fields.choice("policy", Policy, Policy.HYBRID),
        check=_check(fields.inner("check")),
        deadlines=_deadlines(fields.inner("deadlines")),
        rate_limit=_rate_limit(fields.given("rate_limit")),
    )
    fields.end()
    return snapshot


def _backends(fields: _Fields) -> tuple[Backend, ...]:
    found = fields.given("backends")
    if not isinstance(found, list):
        fields.refuse("backends", "must be a list")
    backends = tuple(_backend(_Fields(one, f"backends[{n}]")) for n, one in enumerate(found))
    _refuse_twice(fields, "name", [one.name for one in backends])
    _refuse_twice(fields, "address", [f"{one.host} {one.port}" for one in backends])
    return backends


def _refuse_twice(fields: _Fields, what: str, given: Iterable[str]) -> None:
    seen: set[str] = set()
    for one in given:
        if one in seen:
            fields.refuse("backends", f"the {what} {one} is given twice")
        seen.add(one)


def _backend(fields: _Fields) -> Backend:
    backend = Backend(
        name=fields.text("name", most=64),
        host=fields.text("host"),
        port=fields.integer("port", 1, _MAX_PORT),
        weight=fields.integer("weight", 1, 1000, 100),
        state=fields.choice("state", State, State.READY),
    )
    try:
        ip_address(backend.host)
    except ValueError:
        fields.refuse("host", "must be an IP address")
    if not backend.name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        fields.refuse("name", "must be made of letters, digits, dots and dashes")
    fields.end()
    return backend


def _check(fields: _Fields) -> Check:
    usual = Check()
    check = Check(
        path=fields.text("path", usual.path),
        host=fields.text("host", usual.host),
        interval_seconds=fields.number("interval_seconds", usual.interval_seconds),
        timeout_seconds=fields.number("timeout_seconds", usual.timeout_seconds),
        rise=fields.integer("rise", 1, 100, usual.rise),
        fall=fields.integer("fall", 1, 100, usual.fall),
    )
    if not check.path.startswith("/"):
        fields.refuse("path", "must begin with a slash")
    fields.end()
    return check


def _deadlines(fields: _Fields) -> Deadlines:
    usual = asdict(Deadlines())
    deadlines = Deadlines(**{name: fields.number(name, value) for name, value in usual.items()})
    fields.end()
    return deadlines


def _rate_limit(found: Any) -> RateLimit | None:
    if found is None:
        return None
    fields = _Fields(found, "rate_limit")
    limit = RateLimit(
        requests_per_second=fields.number("requests_per_second", None, high=1e6),
        burst=fields.integer("burst", 1, 1_000_000),
    )
    fields.end()
    return limit


def _is_word(value: str) -> bool:
    return all("!" <= character <= "~" for character in value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SnapshotInvalidError(why="has a field twice")
    return found


def _refuse_constant(name: str) -> None:
    raise SnapshotInvalidError(why=f"has {name}, which is no number")
