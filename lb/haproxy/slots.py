"""Which backend has which slot, what it earned, and what HAProxy is to be told of it."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lb.data.fleet import BOUNDS
from lb.data.load import FLOOR_SECONDS, Load
from lb.data.standing import Ejection, Trust
from lb.haproxy.configuration import BACKEND, MEASURED, MOST_WEIGHT
from lb.snapshot import Backend, Deadlines, Policy, Snapshot, State

PROBATION_WEIGHT: Final = 8
"""So little that few requests try a backend that was ejected."""
FALLING: Final = 0.7
RISING: Final = 0.3
"""Which part of the way to its new weight a backend goes in a second: down fast, up slowly."""
NOTABLE: Final = 0.1
_HALF: Final = 0.5


@dataclass(frozen=True)
class Told:
    """What HAProxy knows of a slot."""

    host: str = "127.0.0.1"
    port: int = 1
    state: str = "maint"
    weight: int = 1


class Place:
    """A backend in its slot."""

    def __init__(self, backend: Backend, now: float) -> None:
        self.backend = backend
        self.load = Load(backend.weight, now=now)
        self.load.start_anew(0.0, now)
        self.ejection = Ejection()
        self.weight = float(MOST_WEIGHT)
        self.drains_until: float | None = None
        self.requests = self.failures = self.ejections = 0
        self.seconds = [0] * (len(BOUNDS) + 1)
        """Answers by the bound that their seconds keep to, the last beyond all bounds."""

    @property
    def drains(self) -> bool:
        """Whether it gets no new requests, by what the snapshot says or no longer says."""
        return self.drains_until is not None or self.backend.state is State.DRAINING


class Slots:
    """All slots. Time is given, in seconds of any clock that goes on."""

    def __init__(self) -> None:
        self.places: dict[int, Place] = {}
        self._policy = Policy.HYBRID
        self._told: dict[int, Told] = {}

    def obey(self, snapshot: Snapshot, *, slots: int, now: float) -> None:
        """Give new backends a slot, and let those drain that the snapshot no longer names."""
        self._policy = snapshot.policy
        known = {
            one.backend.name: number for number, one in self.places.items() if not one.drains_until
        }
        for backend in snapshot.backends:
            number = known.pop(backend.name, None)
            if number is not None and not _same_address(self.places[number].backend, backend):
                self._part(number, snapshot.deadlines, now)
                number = None
            if number is None:
                self._seat(backend, slots, now)
            else:
                self.places[number].backend = backend
                self.places[number].load.weight = backend.weight
        for number in known.values():
            self._part(number, snapshot.deadlines, now)

    def answered(self, number: int, *, status: int, seconds: float | None, now: float) -> None:
        """Take in an answer, or that there was none."""
        place = self.places.get(number)
        if place is None:
            return
        place.requests += 1
        if seconds is not None:
            place.seconds[bisect_left(BOUNDS, seconds)] += 1
        if seconds is not None and status < 500 and status != 429:  # noqa: PLR2004  # as in lb.data
            place.load.answered(seconds, now)
            if place.ejection.succeeded(now):
                place.load.start_anew(seconds, now)
            return
        place.failures += 1
        place.load.failed(now)
        if place.ejection.failed(now):
            place.ejection.eject(now)
            place.ejections += 1

    def turn(self, now: float) -> None:
        """Go on by a second: end drains and ejections, and move the weights."""
        for number, place in list(self.places.items()):
            if place.drains_until is not None and now >= place.drains_until:
                del self.places[number]
            elif place.ejection.wants_probation(now, repeatable=True):
                place.ejection.begin_probation()
        aims = self._aims(now)
        for number, aim in aims.items():
            place = self.places[number]
            part = FALLING if aim < place.weight else RISING
            place.weight += (aim - place.weight) * part

    def commands(self, slots: int) -> list[str]:
        """Return what HAProxy is to be told so that it does as is wanted, and take it as told."""
        found: list[str] = []
        panics = self.panics
        for number in range(1, slots + 1):
            told = self._told.get(number)
            wanted = self._wanted(number, told, panics=panics)
            found += _commands(number, told, wanted)
            self._told[number] = wanted
        return found

    def told(self, number: int) -> Told:
        """Return what HAProxy knows of a slot."""
        return self._told[number]

    def forget(self) -> None:
        """Know nothing of what HAProxy was told: another one runs."""
        self._told = {}

    @property
    def panics(self) -> bool:
        """Whether so few are trusted that all are used."""
        serving = [one for one in self.places.values() if not one.drains]
        trusted = sum(one.ejection.trust is Trust.TRUSTED for one in serving)
        return trusted < _HALF * len(serving)

    def _seat(self, backend: Backend, slots: int, now: float) -> None:
        free = (number for number in range(1, slots + 1) if number not in self.places)
        self.places[next(free)] = Place(backend, now)

    def _part(self, number: int, deadlines: Deadlines, now: float) -> None:
        self.places[number].drains_until = now + deadlines.drain_seconds

    def _aims(self, now: float) -> Mapping[int, float]:
        """Return the weight that each one shall come to: of the best, HAProxy's most."""
        worth = {
            number: one.load.weight_now(now) / self._seconds(one.load, now)
            for number, one in self.places.items()
        }
        best = max(worth.values(), default=1.0)
        return {number: value / best * MOST_WEIGHT for number, value in worth.items()}

    def _seconds(self, load: Load, now: float) -> float:
        return max(load.seconds(now), FLOOR_SECONDS) if self._policy in MEASURED else 1.0

    def _wanted(self, number: int, told: Told | None, *, panics: bool) -> Told:
        place = self.places.get(number)
        if place is None:
            return replace(told or Told(), state="maint")
        backend = place.backend
        state = "drain" if place.drains else "ready"
        weight = _weight(place, told.weight if told else None, panics=panics)
        return Told(backend.host, backend.port, state, weight)


def _weight(place: Place, told: int | None, *, panics: bool) -> int:
    """Return the weight to tell: that told before, unless the new one is notably another."""
    if not panics and place.ejection.trust is Trust.EJECTED:
        return 0
    if not panics and place.ejection.trust is Trust.PROBATION:
        return PROBATION_WEIGHT
    weight = min(max(round(place.weight), 1), MOST_WEIGHT)
    return weight if told is None or abs(weight - told) > NOTABLE * told else told


def _commands(number: int, told: Told | None, wanted: Told) -> Iterator[str]:
    server = f"{BACKEND}/slot{number}"
    if told is None or (wanted.host, wanted.port) != (told.host, told.port):
        yield f"set server {server} addr {wanted.host} port {wanted.port}"
    if told is None or wanted.weight != told.weight:
        yield f"set server {server} weight {wanted.weight}"
    if told is None or wanted.state != told.state:
        yield f"set server {server} state {wanted.state}"


def _same_address(one: Backend, other: Backend) -> bool:
    return (one.host, one.port) == (other.host, other.port)
