"""Where the bank's nodes and accounts are, as its databases tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

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


class Move(NamedTuple):
    """Where an account lives that has moved so many times; of two, the greater one is the newer."""

    moves: int
    node: str


@dataclass(frozen=True, kw_only=True)
class Directory:
    """The nodes' branch numbers by alias, their addresses, and where moved accounts are.

    Addresses that are known from the configuration alone are left out. ``moves`` tells one state of
    ``moved`` from the next.
    """

    numbers: Mapping[str, int]
    urls: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False)
    moved: Mapping[int, Move] = field(default_factory=lambda: _NOTHING, repr=False)
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
    numbers, moved = {HEAD_OFFICE: HEAD_OFFICE_NUMBER}, dict[int, Move]()
    for alias in primaries():
        if alias == HEAD_OFFICE:
            continue
        try:
            with connect(alias) as branch:
                numbers.update(branch.execute(_QUERIES["this_node"]).fetchall())
                found, _moves = _read_moved(branch, last=None)
        except psycopg.Error as error:
            _log.warning("branch_not_asked", node=alias, error=" ".join(str(error).split()))
            continue
        for account, move in found.items():
            moved[account] = max(move, moved.get(account, move))
    return Directory(numbers=numbers, moved=moved)


def ask_about(account: int, node: str) -> Move | None:
    """Return where an account went from a node; None when the node knows of no move.

    Raises:
        psycopg.Error: it does not tell.
    """
    with connect(node) as asked:
        row = asked.execute(_QUERIES["moved_to"], [account]).fetchone()
    return None if row is None else Move(*row)


def _read_moved(
    node: psycopg.Connection, *, last: Directory | None
) -> tuple[Mapping[int, Move], int]:
    row = node.execute(_QUERIES["moves"]).fetchone()
    moves = int(row[0]) if row else 0
    if last is not None and last.moves == moves:
        return last.moved, moves
    rows = node.execute(_QUERIES["moved"]).fetchall()
    return {account: Move(count, where) for account, count, where in rows}, moves
