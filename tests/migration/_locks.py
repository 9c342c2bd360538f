"""What a migration does to tables that transfers are writing: asked of the server that did it.

No reading of the SQL tells whether a default is volatile, a new type rewrites or a constraint is
checked row by row, and on which PostgreSQL. The server knows: what it locked, whether it read all
of the table meanwhile, and whether the table is another file now.
"""

from pathlib import Path
from typing import Any, Final

import psycopg

from core.db.sql import queries

_QUERIES: Final = queries(Path(__file__).parent / "locks.sql")


def harms(connection: psycopg.Connection, statements: bytes) -> list[str]:
    """Run statements in the open transaction; say what would hold transfers up for long.

    Locks that keep writers out are short where only the catalog changes: one such table at a time,
    since the first one is held while the next one is waited for.
    """
    before = _tables(connection)
    connection.execute(statements)
    after = _tables(connection)
    changed = [(after[oid], was) for oid, was in before.items() if oid in after]
    locked = sorted({is_now["table"] for is_now, _was in changed if is_now["is_locked"]})
    read = sorted(
        {
            is_now["name"]
            for is_now, was in changed
            if is_now["is_locked"] and is_now["readings"] > was["readings"]
        }
    )
    rewritten = sorted({now["name"] for now, was in changed if now["file"] != was["file"]})
    return [
        *(f"reads all of {name} while nobody may write it" for name in read),
        *(f"writes {name} anew" for name in rewritten),
        *([f"locks several tables at once: {', '.join(locked)}"] if len(locked) > 1 else []),
    ]


def _tables(connection: psycopg.Connection) -> dict[int, dict[str, Any]]:
    with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
        return {row["oid"]: row for row in cursor.execute(_QUERIES["tables"]).fetchall()}
