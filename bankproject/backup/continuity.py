"""Whether a node still has the log that follows what came in of it.

Where it has not, pg_receivewal would ask for it in vain for ever. After a failover what the former
primary had sent may lie past the place at which its successor took over; and a slot that was made
anew keeps the log from then on only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import psycopg

from bankproject.backup.repository import PARTIAL, Segment, bytes_of
from bankproject.backup.servers import forks_before, one


def goes_on(
    node: str, line: psycopg.Connection, *, incoming: Sequence[str], sealed: Sequence[str]
) -> bool:
    """Tell whether a node has what follows these files of its log. Its slot must be there.

    Raises:
        psycopg.Error: the node does not answer.
    """
    _identifier, size = one(line, "identity")
    wanted = _next([*sealed, *incoming], size=size)
    if wanted is None:
        return True
    (kept_from,) = one(line, "kept_from")
    if bytes_of(kept_from) // size > wanted.number:
        return False
    # Where nothing is open the program asks from where the slot keeps the log.
    asked = _next(incoming, size=size)
    return asked is None or _is_in_history(node, line, asked, size=size)


def _next(names: Iterable[str], *, size: int) -> Segment | None:
    """Return the segment that pg_receivewal asks for when it finds these files; None for none."""
    found = []
    for name in names:
        try:
            found.append((Segment.named(name, size=size), not name.endswith(PARTIAL)))
        except ValueError:
            # A timeline's history.
            continue
    if not found:
        return None
    newest, is_whole = max(found)
    return replace(newest, number=newest.number + is_whole)


def _is_in_history(node: str, line: psycopg.Connection, asked: Segment, *, size: int) -> bool:
    _place, timeline = one(line, "place")
    if asked.timeline >= timeline:
        return bool(asked.timeline == timeline)
    fork = forks_before(node, timeline).get(asked.timeline)
    return fork is not None and asked.number * size <= fork
