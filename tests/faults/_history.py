"""What clients asked and saw, and what stands in the books afterwards: the checker's material."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a client knows of its transfer; INFO: nothing, for no answer came."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A transfer that a client asked for under its key, and what it was told in the end."""

    key: str
    debit: int
    credit: int
    amount: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One node on one snapshot.

    ``balances`` are the customers'; ``clearing`` what the node owes each other node; ``unbalanced``
    by how much its debits and credits differ.
    """

    node: str
    balances: Mapping[int, int | None]
    clearing: Mapping[str, int]
    unbalanced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Views of nodes, each of an instant of its own; ``is_exact`` when the barrier took them."""

    views: tuple[View, ...]
    is_exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a client saw of its transfers, on the replica or not, and what its token promised."""

    owed: frozenset[str]
    seen: frozenset[str]
    is_copy: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A journal row of a client's transfer; ``peer`` is the other end when that is elsewhere."""

    node: str
    key: str
    debit: int
    credit: int
    amount: int
    peer: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that the clients did."""

    sendings: tuple[Sending, ...] = ()
    readings: tuple[Reading, ...] = ()
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What the consolidated replica shows once it has caught up."""

    balances: Mapping[int, int | None]
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What is left when all faults have healed.

    ``settled_seconds`` is how long after the last one; None: not as long as was waited.
    """

    views: tuple[View, ...]
    legs: tuple[Leg, ...]
    gids: tuple[str, ...]
    settled_seconds: float | None
    replica: Copy | None = None
