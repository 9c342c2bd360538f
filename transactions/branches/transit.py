"""Money between nodes as of now, without holding transfers back as a position does.

Nodes are asked one after the other, so while money moves no two are seen at the same instant. All
are looked at twice, therefore: what two nodes owed each other at both looks, they owed at an
instant in between. Where nothing was prepared between them either, nothing was under way then, and
money that is in transit all the same is stranded: nothing will bring it. Transfers of one amount in
both directions, within milliseconds, can deceive such a look; two of them, seconds apart, hardly.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg

from core.db.sql import queries
from transactions.branches.directory import connect
from transactions.branches.position import Pair, owed_by, pair_of
from transactions.branches.registry import nodes

# While money moves the next look may find two nodes at rest; each takes milliseconds.
MOST_LOOKS: Final = 5

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "transit.sql")

Lines = Mapping[str, psycopg.Connection]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transit:
    """What the clearing accounts of two nodes with each other add up to; minor units.

    While something ``is_under_way`` between the two it is what the last look made of it.
    """

    pair: Pair
    currency: str
    minor: int
    is_under_way: bool

    @property
    def is_stranded(self) -> bool:
        """Tell whether money is between the two that nothing will bring."""
        return bool(self.minor) and not self.is_under_way


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen at one node after the other: who owes what, and where something is prepared."""

    owed: dict[Pair, dict[tuple[str, str], int]] = field(default_factory=dict)
    prepared: set[Pair] = field(default_factory=set)

    def sums(self, pair: Pair) -> Counter[str]:
        """Return what a pair's accounts add up to, by currency."""
        found: Counter[str] = Counter()
        for (_node, currency), minor in self.owed[pair].items():
            found[currency] += minor
        return found

    def is_at_rest(self, pair: Pair, *, since: "_Look") -> bool:
        """Tell whether nothing happened between two nodes from an earlier look on."""
        is_prepared = pair in self.prepared | since.prepared
        return not is_prepared and self.owed[pair] == since.owed.get(pair)


def money_in_transit() -> list[Transit]:
    """Return what is between each two nodes now, zero included; of nodes that answer.

    Raises:
        psycopg.Error: one falls silent meanwhile.
    """
    with _lines() as lines:
        last, at_rest = _look(lines), dict[Pair, Counter[str]]()
        for _again in range(MOST_LOOKS):
            look = _look(lines)
            for pair in look.owed.keys() - at_rest:
                if look.is_at_rest(pair, since=last):
                    at_rest[pair] = look.sums(pair)
            last = look
            if at_rest.keys() == look.owed.keys():
                break
    return [
        Transit(pair=pair, currency=currency, minor=minor, is_under_way=pair not in at_rest)
        for pair in sorted(last.owed)
        for currency, minor in sorted((at_rest.get(pair) or last.sums(pair)).items())
    ]


@contextmanager
def _lines() -> Iterator[Lines]:
    """Yield connections to the nodes that answer; the silent ones are waited for at once."""
    asked = nodes()
    with ThreadPoolExecutor(len(asked)) as several, ExitStack() as stack:
        lines = zip(asked, several.map(_line, asked), strict=True)
        yield {node: stack.enter_context(line) for node, line in lines if line is not None}


def _line(node: str) -> psycopg.Connection | None:
    try:
        return connect(node)
    except psycopg.OperationalError:
        # Its own alarm; of the others there is something to tell.
        return None


def _look(lines: Lines) -> _Look:
    look = _Look()
    for node, line in lines.items():
        # First: what is settled in between is seen as prepared then, and not as gone astray.
        prepared = line.execute(_QUERIES["prepared_from"]).fetchall()
        look.prepared.update(pair_of(node, source) for (source,) in prepared)
        for pair, currency, minor in owed_by(node, line):
            if lines.keys() >= {*pair}:
                look.owed.setdefault(pair, {})[node, currency] = minor
    return look
