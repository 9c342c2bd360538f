"""How the backups are: of each node, and of the bank as a whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from bankproject.backup.keeping import BASE_EVERY
from bankproject.backup.receiving import complaint_in
from bankproject.backup.repository import PARTIAL, SEALED, Repository
from bankproject.backup.servers import connect, one
from transactions.branches import registry

# Two were missed, or one takes a day.
OLD_BASE: Final = 2 * BASE_EVERY
OLD_MARK: Final = timedelta(minutes=1)
MUCH_BEHIND: Final = 64 << 20
# What came in whole is sealed within seconds.
MOST_UNSEALED: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBackups:
    """What is known of a node's backups; None: nothing, or not learnt.

    ``unsealed`` counts segments that came in whole and are plain still, ``behind_bytes`` is the
    part of the log that has not come in. ``is_encrypted``: all but the log's open segments.
    """

    node: str
    base_at: datetime | None
    bases: int
    sealed_segment: str | None
    sealed_at: datetime | None
    unsealed: int
    is_received: bool | None
    behind_bytes: int | None
    slot: str | None
    bytes: int
    is_encrypted: bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """What is known of the bank's backups, and in sentences what is wrong about them."""

    nodes: list[NodeBackups]
    mark_at: datetime | None
    wrong: list[str]


def look(repository: Repository, *, at: datetime) -> Backups:
    """Look at the folder of backups and ask every node; one that is silent is told as such.

    Raises:
        BackupFailed: the folder cannot be read.
    """
    nodes = [_of(repository, node) for node in registry.nodes()]
    mark = repository.last_mark()
    mark_at = mark.began if mark else None
    return Backups(nodes=nodes, mark_at=mark_at, wrong=list(_wrong(nodes, mark_at, at)))


def _of(repository: Repository, node: str) -> NodeBackups:
    store = repository.of(node)
    bases, segments = store.whole_bases(), store.segments()
    slot, reason = _slot_of(node)
    is_received, state, behind = slot or (None if reason else False, None, None)
    incoming = store.receiving.iterdir() if store.receiving.is_dir() else ()
    return NodeBackups(
        node=node,
        base_at=bases[-1].ended if bases else None,
        bases=len(bases),
        sealed_segment=segments[-1].name.removesuffix(SEALED) if segments else None,
        sealed_at=datetime.fromtimestamp(segments[-1].stat().st_mtime, UTC) if segments else None,
        unsealed=sum(path.suffix != PARTIAL for path in incoming),
        is_received=is_received,
        behind_bytes=behind,
        slot=state,
        bytes=store.size(),
        is_encrypted=repository.certificate.exists(),
        reason=reason or ("" if is_received else complaint_in(store.log)),
    )


def _slot_of(node: str) -> tuple[Any, str]:
    """Return how a node's slot is, None without one, and why nothing is known of it."""
    try:
        with connect(node) as line:
            return one(line, "slot"), ""
    except psycopg.Error as error:
        return None, " ".join(str(error).split())


def _wrong(nodes: list[NodeBackups], mark_at: datetime | None, at: datetime) -> Iterator[str]:
    for node in nodes:
        yield from _wrong_of(node, at)
    if mark_at is None:
        yield "there is no point to which all nodes can be restored together"
    elif at - mark_at > OLD_MARK:
        seconds = (at - mark_at).total_seconds()
        yield f"the last point to which all nodes can be restored is {seconds:.0f} seconds old"


def _wrong_of(node: NodeBackups, at: datetime) -> Iterator[str]:
    because = f": {node.reason}" if node.reason else ""
    if node.base_at is None:
        yield f"{node.node} has no base backup{because}"
    elif at - node.base_at > OLD_BASE:
        hours = (at - node.base_at).total_seconds() / 3600
        yield f"{node.node} has a base backup that is {hours:.0f} hours old"
    if not node.is_received:
        yield f"nobody receives the log of {node.node}{because}"
    if node.slot == "lost":
        yield f"{node.node} could not keep its log any longer: there is a gap"
    if (node.behind_bytes or 0) > MUCH_BEHIND:
        yield f"{(node.behind_bytes or 0) >> 20} MB of the log of {node.node} have not come in"
    if node.unsealed > MOST_UNSEALED:
        yield f"{node.unsealed} segments of the log of {node.node} are not sealed"
