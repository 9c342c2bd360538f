"""Who moved how much in a month: for each person and currency, all accounts that they own."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg

from core.db.sql import queries
from core.money import Money
from transactions.reporting.month import Month
from transactions.reporting.snapshots import one_position

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "people.sql")
_AT_ONCE: Final = 10_000
# Account, currency, movements, what came in, what went out, when last.
Moved = tuple[int, str, int, int, int, datetime]


@dataclass(slots=True)
class Activity:
    """What moved on the accounts that a person owns in a currency; minor units."""

    person: int
    number: int
    name: str
    currency: str
    last_at: datetime
    movements: int = 0
    coming: int = 0
    going: int = 0

    @property
    def credits(self) -> Money:
        """All that came in."""
        return Money(self.coming, self.currency)

    @property
    def debits(self) -> Money:
        """All that went out."""
        return Money(self.going, self.currency)


def activity_of_people(month: Month, *, now: datetime) -> tuple[list[Activity], datetime]:
    """Return the people who moved anything in a month, busiest first, and until when it is shown.

    An account that several own counts for each of them.

    Raises:
        PositionNotReached, BranchDown: it cannot be read now.
    """
    # Of the month that runs there is what the copies show; one that is over is shown whole.
    wanted = month.until if month.until <= now else month.since
    with one_position(until=wanted, now=now) as found:
        until = min(month.until, found.whole_until)
        asked = {"since": month.since, "until": until}
        moved = [
            row
            for one in found.ledgers
            for row in one.execute(_QUERIES["accounts"], asked).fetchall()
        ]
        owners = _owners(found.ledgers, [row[0] for row in moved])
        owned = [(row, person) for row in moved for person in owners[row[0]]]
        names = {
            pk: (number, name)
            for pk, number, name in _asked(found.people, "people", [pk for _row, pk in owned])
        }
    people = _by_person((row, person, *names[person]) for row, person in owned if person in names)
    return sorted(people, key=lambda one: (-one.movements, one.number, one.currency)), until


def _owners(
    ledgers: Sequence[psycopg.Connection], accounts: Sequence[int]
) -> Mapping[int, set[int]]:
    """Return the owners of accounts, on whichever ledger the account is now."""
    found = defaultdict[int, set[int]](set)
    for ledger in ledgers:
        for account, person in _asked(ledger, "owners", accounts):
            found[account].add(person)
    return found


def _asked(connection: psycopg.Connection, query: str, ids: Sequence[int]) -> Iterator[Any]:
    """Yield the rows of a query about a list, which may be long."""
    known = sorted(set(ids))
    for begin in range(0, len(known), _AT_ONCE):
        yield from connection.execute(_QUERIES[query], {"ids": known[begin : begin + _AT_ONCE]})


def _by_person(owned: Iterable[tuple[Moved, int, int, str]]) -> list[Activity]:
    found: dict[tuple[int, str], Activity] = {}
    for row, person, number, name in owned:
        _account, currency, movements, coming, going, last_at = row
        one = found.setdefault(
            (person, currency), Activity(person, number, name, currency, last_at)
        )
        one.movements += movements
        one.coming += coming
        one.going += going
        one.last_at = max(one.last_at, last_at)
    return list(found.values())
