"""Reading a node's books, as clients do and as the laboratory does in the end."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Protocol

from core.db.sql import queries
from tests.faults._history import Copy, Leg, View
from tests.faults._nodes import BRANCHES

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "books.sql")
_ALIASES: Final = {number: alias for alias, number in BRANCHES.items()}


class _Cursor(Protocol):
    def execute(self, query: Any, /) -> Any: ...

    def fetchall(self) -> list[Any]: ...


def read_view(cursor: _Cursor, *, node: str) -> View:
    """Return what a node shows at one instant."""
    balances: dict[int, int | None] = {}
    clearing = dict.fromkeys(BRANCHES.keys() - {node}, 0)
    unbalanced = 0
    for number, purpose, side, balance in _rows(cursor, "accounts"):
        unbalanced += side * balance
        if purpose == "customer":
            balances[number] = balance
        elif purpose == "clearing" and balance:
            clearing[_other_end(number)] += balance
    return View(node=node, balances=balances, clearing=clearing, unbalanced=unbalanced)


def read_legs(cursor: _Cursor, *, node: str) -> list[Leg]:
    """Return the clients' legs on a node."""
    return [
        Leg(node=node, key=key, debit=debit, credit=credit, amount=amount, peer=peer)
        for key, debit, credit, amount, peer in _rows(cursor, "legs")
    ]


def read_gids(cursor: _Cursor) -> list[str]:
    """Return what is prepared on a node."""
    return [gid for (gid,) in _rows(cursor, "gids")]


def read_copy(cursor: _Cursor) -> Copy:
    """Return what the replica shows of all nodes."""
    return Copy(
        balances=dict(_rows(cursor, "copied_accounts")),
        legs=tuple(
            Leg(node=node, key=key, debit=debit, credit=credit, amount=amount, peer=peer)
            for node, key, debit, credit, amount, peer in _rows(cursor, "copied_legs")
        ),
    )


def _rows(cursor: _Cursor, name: str) -> Iterable[Any]:
    cursor.execute(_QUERIES[name])
    return cursor.fetchall()


def _other_end(clearing: int) -> str:
    """Return the node a clearing account clears with: its place ends in that branch's number."""
    return _ALIASES[clearing // 10 % 1000]
