"""Who moved how much in a month: for each person and currency, all accounts that they own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Final

import psycopg

from core.db.sql import queries
from core.money import Money
from transactions.reporting.month import Month
from transactions.reporting.snapshots import LONGEST_POSTING, one_position

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "people.sql")
_AT_ONCE: Final = 10_000


@dataclass(slots=True)
class Activity:
    """What moved on the accounts that a person owns in a currency; minor units."""

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
        until = min(month.until, found.as_of - LONGEST_POSTING)
        asked = {"since": month.since, "until": until}
        moved = list(chain.from_iterable(_moved(one, asked) for one in found.ledgers))
        owners = _owners(found.people, [row[0] for row in moved])
    people = _by_person(moved, owners)
    return sorted(people, key=lambda one: (-one.movements, one.number, one.currency)), until


Moved = tuple[int, str, int, int, int, datetime]
Owner = tuple[int, str]


def _moved(ledger: psycopg.Connection, asked: dict[str, datetime]) -> list[Moved]:
    return ledger.execute(_QUERIES["accounts"], asked).fetchall()


def _owners(people: psycopg.Connection, accounts: Sequence[int]) -> dict[int, list[Owner]]:
    found: dict[int, list[Owner]] = {}
    for begin in range(0, len(accounts), _AT_ONCE):
        part = {"accounts": list(accounts[begin : begin + _AT_ONCE])}
        for account, number, name in people.execute(_QUERIES["owners"], part):
            found.setdefault(account, []).append((number, name))
    return found


def _by_person(moved: Sequence[Moved], owners: dict[int, list[Owner]]) -> list[Activity]:
    found: dict[tuple[int, str], Activity] = {}
    for person, name, row in _each(moved, owners):
        _account, currency, movements, coming, going, last_at = row
        one = found.setdefault((person, currency), Activity(person, name, currency, last_at))
        one.movements += movements
        one.coming += coming
        one.going += going
        one.last_at = max(one.last_at, last_at)
    return list(found.values())


def _each(
    moved: Sequence[Moved], owners: dict[int, list[Owner]]
) -> Iterator[tuple[int, str, Moved]]:
    for row in moved:
        for number, name in owners.get(row[0], ()):
            yield number, name, row
