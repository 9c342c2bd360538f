"""How the bank stands when its faults have healed: settled when, and with what in its books."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Final

import psycopg

from tests.faults._books import read_copy, read_gids, read_legs, read_view
from tests.faults._checker import check_replica, transit_of
from tests.faults._history import Copy, Ending, Reading
from tests.faults._laboratory import Laboratory

_PATIENCE_SECONDS: Final = 8
_GLANCE_SECONDS: Final = 0.02
_COPYING_SECONDS: Final = 10

_Cursors = Mapping[str, psycopg.Cursor[Any]]


def ending_of(
    lab: Laboratory, *, healed_at: float, is_busy: Callable[[], bool], has_copy: bool = True
) -> Ending:
    """Wait until nothing is in doubt and return what then stands in the books.

    Settled is the bank from the last look on that found something open. While somebody ``is_busy``
    more may come. After eight seconds it counts as never.
    """
    with _cursors(lab) as cursors:
        last_open = healed_at
        settled = None
        while (at := time.monotonic()) < healed_at + _PATIENCE_SECONDS:
            was_busy = is_busy()
            if _is_open(cursors):
                last_open = time.monotonic()
            elif not was_busy:
                settled = last_open - healed_at
                break
            time.sleep(max(at + _GLANCE_SECONDS - time.monotonic(), 0))
        ending = Ending(
            views=reading_of(cursors).views,
            legs=tuple(leg for node in cursors for leg in read_legs(cursors[node], node=node)),
            gids=tuple(gid for cursor in cursors.values() for gid in read_gids(cursor)),
            settled_seconds=settled,
        )
        return replace(ending, replica=_copy_of(lab, ending)) if has_copy else ending


def _copy_of(lab: Laboratory, ending: Ending) -> Copy:
    """Return what the replica shows once it shows the same, or has not for a while."""
    until = time.monotonic() + _COPYING_SECONDS
    with lab.replica.connect() as replica:
        while True:
            copy = read_copy(replica.cursor())
            differs = any(check_replica(replace(ending, replica=copy)))
            if not differs or time.monotonic() > until:
                return copy
            time.sleep(_GLANCE_SECONDS)


def read_now(lab: Laboratory) -> Reading:
    """Read every node past the proxies, one after the other; all of them must be up."""
    with _cursors(lab) as cursors:
        return reading_of(cursors)


def reading_of(cursors: _Cursors) -> Reading:
    """Return a view of each node, each of an instant of its own."""
    return Reading(views=tuple(read_view(cursors[node], node=node) for node in cursors))


def _is_open(cursors: _Cursors) -> bool:
    """Tell whether anything is prepared or in transit."""
    if any(read_gids(cursor) for cursor in cursors.values()):
        return True
    return any(transit_of(reading_of(cursors).views).values())


@contextmanager
def _cursors(lab: Laboratory) -> Iterator[_Cursors]:
    with ExitStack() as stack:
        yield {
            alias: stack.enter_context(node.connect()).cursor() for alias, node in lab.nodes.items()
        }
