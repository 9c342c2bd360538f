"""Taking turns: changes of the same thing, named by a text, are never made at once.

Whoever makes one holds locks of the head office, for a block or until the transaction ends. Nobody
waits for them: who finds one held does something else, or says so.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from django.db import DatabaseError, connections

from core.db.aliases import HEAD_OFFICE
from core.db.sql import queries

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "turns.sql")


@contextmanager
def alone_with(things: Collection[str]) -> Iterator[bool]:
    """Keep others away from things for the block, however long it takes; False: others are there.

    The locks are the connection's, and end with it. In the block transactions may be opened.
    """
    held: list[int] = []
    try:
        for key in _keys(things):
            if not _asked("hold", key):
                break
            held.append(key)
        yield len(held) == len(things)
    finally:
        # A connection that was lost has taken its locks with it.
        with suppress(DatabaseError):
            for key in held:
                _asked("let_go", key)


def keep_others_away(things: Collection[str]) -> bool:
    """Keep others away from things until the transaction ends, which must be open.

    False when others are there.
    """
    return all(_asked("hold_until_the_transaction_ends", key) for key in _keys(things))


def _keys(things: Collection[str]) -> list[int]:
    """Return the numbers that things are locked by, in the order of locking."""
    digests = (sha256(one.encode()).digest() for one in things)
    return sorted(int.from_bytes(digest[:8], signed=True) for digest in digests)


def _asked(query: str, key: int) -> bool:
    with connections[HEAD_OFFICE].cursor() as cursor:
        cursor.execute(_QUERIES[query], [key])
        (answer,) = cursor.fetchone()
    return bool(answer)
