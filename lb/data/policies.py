"""Which of several backends gets the next request."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from lb.data.load import Load
from lb.snapshot import Policy

SCANNED: Final = 8
"""So many backends are all looked at; of more, two that the dice say."""

Choose = Callable[[Sequence[Load], float, Random], int]
"""Returns the place, in a list that is not empty, of the one to take."""

_Cost = Callable[[Load, float], float]


def _hybrid(loads: Sequence[Load], now: float, dice: Random) -> int:
    if len(loads) > SCANNED:
        return _better_of_two(loads, now, dice, Load.cost)
    return _cheapest(loads, now, dice, Load.cost)


def _round_robin(loads: Sequence[Load], now: float, _dice: Random) -> int:
    """Take turns, smoothly by weight."""
    total = 0.0
    for load in loads:
        weight = load.weight_now(now)
        load.share += weight
        total += weight
    place = max(range(len(loads)), key=lambda place: loads[place].share)
    loads[place].share -= total
    return place


def _least_connections(loads: Sequence[Load], now: float, dice: Random) -> int:
    return _cheapest(loads, now, dice, Load.connections_cost)


def _least_request(loads: Sequence[Load], now: float, dice: Random) -> int:
    return _better_of_two(loads, now, dice, Load.connections_cost)


def _peak_ewma(loads: Sequence[Load], now: float, dice: Random) -> int:
    return _better_of_two(loads, now, dice, Load.latency_cost)


def _random(loads: Sequence[Load], now: float, dice: Random) -> int:
    return dice.choices(range(len(loads)), [load.weight_now(now) for load in loads])[0]


def _cheapest(loads: Sequence[Load], now: float, dice: Random, cost: _Cost) -> int:
    """Look at all, from a place that the dice say: among equals none is first."""
    count = len(loads)
    first = best = int(dice.random() * count)
    least = cost(loads[first], now)
    # Those before the first come last, and are counted from the end.
    for place in range(first - count + 1, first):
        found = cost(loads[place], now)
        if found < least:
            best, least = place, found
    return best % count


def _better_of_two(loads: Sequence[Load], now: float, dice: Random, cost: _Cost) -> int:
    count = len(loads)
    if count == 1:
        return 0
    one = int(dice.random() * count)
    other = (one + 1 + int(dice.random() * (count - 1))) % count
    return other if cost(loads[other], now) < cost(loads[one], now) else one


CHOICES: Final[dict[Policy, Choose]] = {
    Policy.HYBRID: _hybrid,
    Policy.ROUND_ROBIN: _round_robin,
    Policy.LEAST_CONNECTIONS: _least_connections,
    Policy.LEAST_REQUEST: _least_request,
    Policy.PEAK_EWMA: _peak_ewma,
    Policy.RANDOM: _random,
}
