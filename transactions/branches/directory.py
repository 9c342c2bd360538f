"""Where the bank's nodes and accounts are, as its databases tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import psycopg
import structlog
from django.db import connections
from psycopg import errors

from core.db.aliases import HEAD_OFFICE, primaries
from core.db.sql import queries

HEAD_OFFICE_NUMBER: Final = 100
CONNECT_SECONDS: Final = 2

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "registry.sql")
_NOT_THERE_YET: Final = (errors.UndefinedTable, errors.InvalidSchemaName)
_NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The nodes' branch numbers by alias, their addresses, and where moved accounts are.

    Addresses that are known from the configuration alone are left out. ``moves`` tells one state of
    ``moved`` from the next.
    """

    numbers: Mapping[str, int]
    urls: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False)
    moved: Mapping[int, str] = field(default_factory=lambda: _NOTHING, repr=False)
    moves: int = 0


def connect(alias: str) -> psycopg.Connection:
    """Connect to a node as the application, apart from Django's own connections.

    Raises:
        psycopg.OperationalError: it does not answer within two seconds.
    """
    parameters = connections[alias].get_connection_params()
    return psycopg.connect(
        **{**parameters, "connect_timeout": CONNECT_SECONDS, "cursor_factory": psycopg.Cursor},
        autocommit=True,
    )


def ask_head_office(head_office: psycopg.Connection, *, last: Directory | None) -> Directory:
    """Return the directory; moved accounts are read again only if others moved since ``last``."""
    try:
        nodes = head_office.execute(_QUERIES["nodes"]).fetchall()
        moved, moves = _read_moved(head_office, last=last)
    except _NOT_THERE_YET:
        # An older schema, which `manage.py migrate` is about to change.
        return Directory(numbers={HEAD_OFFICE: HEAD_OFFICE_NUMBER})
    return Directory(
        numbers={HEAD_OFFICE: HEAD_OFFICE_NUMBER, **{code: number for code, number, _ in nodes}},
        urls={code: url for code, _, url in nodes},
        moved=moved,
        moves=moves,
    )


def ask_branches() -> Directory:
    """Return what the configured branches say of themselves while the head office is down."""
    numbers, moved, moves = {HEAD_OFFICE: HEAD_OFFICE_NUMBER}, _NOTHING, 0
    for alias in primaries():
        if alias == HEAD_OFFICE:
            continue
        try:
            with connect(alias) as branch:
                numbers.update(branch.execute(_QUERIES["this_node"]).fetchall())
                found, count = _read_moved(branch, last=None)
        except psycopg.Error as error:
            _log.warning("branch_not_asked", node=alias, error=" ".join(str(error).split()))
            continue
        if count >= moves:
            moved, moves = found, count
    return Directory(numbers=numbers, moved=moved, moves=moves)


def _read_moved(
    node: psycopg.Connection, *, last: Directory | None
) -> tuple[Mapping[int, str], int]:
    row = node.execute(_QUERIES["moves"]).fetchone()
    moves = int(row[0]) if row else 0
    if last is not None and last.moves == moves:
        return last.moved, moves
    return dict(node.execute(_QUERIES["moved"]).fetchall()), moves
