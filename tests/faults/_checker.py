"""Jepsen's bank checker for a bank of nodes: pure functions from what happened to what is wrong.

Nine points, each a promise of the bank; see ``POINTS``.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tests.faults._history import Ending, History, Leg, Outcome, Reading, Sending, View

SETTLED_WITHIN_SECONDS: Final = 5.0
POINTS: Final = {
    1: "a node's books balance in every read",
    2: "customers and what is in transit add up to the same in every read",
    3: "totals behind the barrier are exact",
    4: "no balance is negative, missing or of an unknown account",
    5: "a transfer has both legs or none, and once",
    6: "everything is settled soon after the last fault",
    7: "nobody sees less than their token promises",
    8: "the replica equals the nodes",
    9: "all money is there in the end",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """Where each account lives, and how much money there is."""

    homes: Mapping[int, str]
    total: int


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise, by the number of its point."""

    point: int
    detail: str

    def __str__(self) -> str:
        """Name the promise and what broke it."""
        return f"({self.point}) {POINTS[self.point]}: {self.detail}"


_Place = tuple[str, int, int]
"""A node, an account on it, and how much its balance changes."""


def check(history: History, ending: Ending, *, bank: Bank) -> list[Violation]:
    """Return every broken promise."""
    readings = [*history.readings, Reading(views=ending.views)]
    return [
        *(wrong for reading in readings for wrong in check_reading(reading, bank=bank)),
        *check_legs(history.sendings, ending.legs, bank=bank),
        *check_settled(ending),
        *check_tokens(history),
        *check_replica(ending),
        *check_final_total(ending, bank=bank),
    ]


def check_reading(reading: Reading, *, bank: Bank) -> list[Violation]:
    """Check points 1 to 4: what a single read shows, whatever instants its views are of."""
    return [
        *(wrong for view in reading.views for wrong in _check_view(view, bank=bank)),
        *_check_sum(reading, bank=bank),
    ]


def _check_view(view: View, *, bank: Bank) -> Iterator[Violation]:
    if view.unbalanced:
        yield Violation(1, f"{view.node} is out by {view.unbalanced}")
    here = {number for number, home in bank.homes.items() if home == view.node}
    for number in sorted(view.balances.keys() - here):
        yield Violation(4, f"{view.node} shows {number}, which is not its own")
    for number in sorted(here):
        balance = view.balances.get(number)
        if balance is None:
            yield Violation(4, f"{view.node} shows no balance of {number}")
        elif balance < 0:
            yield Violation(4, f"{view.node} shows {balance} on {number}")


def _check_sum(reading: Reading, *, bank: Bank) -> Iterator[Violation]:
    if {view.node for view in reading.views} != set(bank.homes.values()):
        return
    customers, in_transit = customers_in(reading.views), sum(transit_of(reading.views).values())
    if customers + in_transit != bank.total:
        yield Violation(2, f"{customers} and {in_transit} in transit are not {bank.total}")
    if reading.is_exact and (customers, in_transit) != (bank.total, 0):
        yield Violation(3, f"{customers} of {bank.total}, {in_transit} in transit")


def customers_in(views: Iterable[View]) -> int:
    """Return what all customers own together."""
    return sum(balance or 0 for view in views for balance in view.balances.values())


def transit_of(views: Iterable[View]) -> dict[tuple[str, str], int]:
    """Return what is in transit between each pair of nodes."""
    pairs: dict[tuple[str, str], int] = defaultdict(int)
    for view in views:
        for other, owed in view.clearing.items():
            low, high = sorted((view.node, other))
            pairs[low, high] += owed
    return dict(pairs)


def check_legs(
    sendings: Iterable[Sending], legs: Iterable[Leg], *, bank: Bank
) -> Iterator[Violation]:
    """Check point 5."""
    written: defaultdict[str, list[Leg]] = defaultdict(list)
    for leg in legs:
        written[leg.key].append(leg)
    for sending in sendings:
        found = Counter(_places(written.pop(sending.key, []), bank=bank))
        both = Counter(_places_of(sending, bank=bank))
        if found not in _allowed(sending.outcome, both):
            shown = sorted((*place, times) for place, times in found.items()) or "nothing"
            yield Violation(5, f"{sending} is written as {shown}")
    for key in sorted(written):
        yield Violation(5, f"{key!r} was written, and nobody asked for it")


def _allowed(outcome: Outcome, both: Counter[_Place]) -> list[Counter[_Place]]:
    none: Counter[_Place] = Counter()
    return {Outcome.OK: [both], Outcome.FAIL: [none], Outcome.INFO: [none, both]}[outcome]


def _places_of(sending: Sending, *, bank: Bank) -> list[_Place]:
    return [
        (bank.homes[sending.debit], sending.debit, -sending.amount),
        (bank.homes[sending.credit], sending.credit, sending.amount),
    ]


def _places(legs: Iterable[Leg], *, bank: Bank) -> Iterator[_Place]:
    for leg in legs:
        if leg.debit in bank.homes:
            yield leg.node, leg.debit, -leg.amount
        if leg.credit in bank.homes:
            yield leg.node, leg.credit, leg.amount


def check_settled(ending: Ending) -> Iterator[Violation]:
    """Check point 6. Sums alone cannot see a missing leg: the pair's transit can."""
    for gid in ending.gids:
        yield Violation(6, f"{gid} is still prepared")
    for (one, other), amount in sorted(transit_of(ending.views).items()):
        if amount:
            yield Violation(6, f"{amount} between {one} and {other} are still in transit")
    if ending.settled_seconds is None or ending.settled_seconds > SETTLED_WITHIN_SECONDS:
        yield Violation(6, f"settled after {ending.settled_seconds} s")


def check_tokens(history: History) -> Iterator[Violation]:
    """Check point 7."""
    for statement in history.statements:
        missing = sorted(statement.owed - statement.seen)
        if missing:
            yield Violation(7, f"transfers {missing} are not shown")


def check_replica(ending: Ending) -> Iterator[Violation]:
    """Check point 8, where there is a replica."""
    if ending.replica is None:
        return
    there, here = Counter(ending.replica.legs), Counter(ending.legs)
    for leg in (here - there).elements():
        yield Violation(8, f"{leg} is not there")
    for leg in (there - here).elements():
        yield Violation(8, f"{leg} is there only")
    balances = {n: balance for view in ending.views for n, balance in view.balances.items()}
    for number in sorted(balances.keys() | ending.replica.balances.keys()):
        shown = ending.replica.balances.get(number)
        if shown != balances.get(number):
            yield Violation(8, f"{number} shows {shown} for {balances.get(number)}")


def check_final_total(ending: Ending, *, bank: Bank) -> Iterator[Violation]:
    """Check point 9: a read that was only torn leaves the final total right."""
    missing = bank.total - customers_in(ending.views)
    if missing:
        yield Violation(9, f"{abs(missing)} {'lost' if missing > 0 else 'minted'} for good")
