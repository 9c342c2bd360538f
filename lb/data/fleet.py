"""The backends of a snapshot, and which of them gets a request."""

import json
import sys
from bisect import bisect_left
from collections.abc import Collection
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from lb.data.load import Load
from lb.data.policies import CHOICES, Choose
from lb.data.standing import Ejection, Health, Trust
from lb.snapshot import Backend, Policy, Snapshot, State

if TYPE_CHECKING:
    from lb.data.upstream import BackendConnection

BOUNDS: Final = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
    *(0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
"""Upper bounds of the histogram of answers, in seconds."""


class Member:
    """A backend, and all that this process knows of it."""

    __slots__ = (
        *("address", "backend", "draining", "ejection", "ejections", "failures", "health"),
        *("idle", "load", "requests", "seconds_sum", "slots"),
    )

    def __init__(self, backend: Backend, load: Load, health: Health) -> None:
        self.backend = backend
        self.address = (backend.host, backend.port)
        self.draining = backend.state is State.DRAINING
        self.load = load
        self.health = health
        self.ejection = Ejection()
        self.idle: list[BackendConnection] = []
        self.slots = [0] * (len(BOUNDS) + 1)
        self.seconds_sum = 0.0
        self.requests = 0
        self.failures = 0
        self.ejections = 0

    def measure(self, seconds: float) -> None:
        """Count an answer in the histogram."""
        self.slots[bisect_left(BOUNDS, seconds)] += 1
        self.seconds_sum += seconds

    def close_idle(self) -> None:
        """Give up the connections that wait."""
        while self.idle:
            self.idle.pop().close()


class Fleet:
    """All backends. Those that may have requests are found anew when the standing of one turns."""

    def __init__(self, dice: Random) -> None:
        self.members: dict[str, Member] = {}
        self.version = 0
        self.panics = False
        self._dice = dice
        self._choose: Choose = CHOICES[Policy.HYBRID]
        self._open: list[Member] = []
        self._loads: list[Load] = []
        self._ejected: list[Member] = []

    def rule(self, snapshot: Snapshot, now: float) -> None:
        """Go by a snapshot. Who left gets no more requests, and answers those that it has."""
        before = self.members
        self.members = {
            backend.name: self._member(before.get(backend.name), backend, snapshot, now)
            for backend in snapshot.backends
        }
        for name, member in before.items():
            if self.members.get(name) is not member:
                member.draining = True
            if member.draining:
                member.close_idle()
        self.version = snapshot.version
        self._choose = CHOICES[snapshot.policy]
        self._sort()

    def choose(self, now: float, *, repeatable: bool, tried: Collection[Member]) -> Member | None:
        """Return the backend of the next request; None when there is none but those tried."""
        if self._ejected:
            for member in self._ejected:
                wanted = member.ejection.wants_probation(now, repeatable=repeatable)
                if wanted and member.health.is_up and member not in tried:
                    member.ejection.begin_probation()
                    return member
        if not tried:
            if not self._open:
                return None
            return self._open[self._choose(self._loads, now, self._dice)]
        left = [member for member in self._open if member not in tried]
        if not left:
            return None
        return left[self._choose([member.load for member in left], now, self._dice)]

    def has_other(self, tried: Collection[Member | None]) -> bool:
        """Tell whether there is a backend but those tried."""
        return any(member not in tried for member in self._open)

    def succeeded(self, member: Member, seconds: float, now: float) -> None:
        """Take in an answer."""
        member.load.answered(seconds, now)
        member.measure(seconds)
        if member.ejection.succeeded(now):
            self._start_anew(member, now)
            self._turned(member, "trusted")

    def failed(self, member: Member, now: float, *, ejects: bool) -> None:
        """Take in a failure. Too many eject the backend, when another is left."""
        member.load.failed(now)
        member.failures += 1
        if not ejects or not member.ejection.failed(now):
            return
        if member.ejection.trust is Trust.TRUSTED and not self._is_spare(member):
            return
        member.ejection.eject(now)
        member.ejections += 1
        self._turned(member, "ejected")

    def checked(self, member: Member, now: float, *, well: bool) -> None:
        """Take in what an active check says."""
        if not member.health.checked(well=well):
            return
        if well:
            self._start_anew(member, now)
        else:
            member.close_idle()
        self._turned(member, "up" if well else "down")

    def _member(
        self, known: Member | None, backend: Backend, snapshot: Snapshot, now: float
    ) -> Member:
        if known is None or known.address != (backend.host, backend.port):
            return self._newcomer(backend, snapshot, now)
        if known.draining and backend.state is State.READY:
            self._start_anew(known, now)
        known.backend = backend
        known.draining = backend.state is State.DRAINING
        known.load.weight = backend.weight
        known.health.rule(snapshot.check)
        return known

    def _newcomer(self, backend: Backend, snapshot: Snapshot, now: float) -> Member:
        """Return a new member: one of a running fleet is checked before it gets anything."""
        load = Load(backend.weight, seconds=self._usual_seconds(None, now), now=now)
        return Member(backend, load, Health(snapshot.check, is_up=self.version == 0))

    def _start_anew(self, member: Member, now: float) -> None:
        """Take a backend that comes back for as quick as the others are: what it was is over."""
        member.load.start_anew(self._usual_seconds(member, now), now)

    def _usual_seconds(self, besides: Member | None, now: float) -> float:
        others = [one.load.seconds(now) for one in self.members.values() if one is not besides]
        return median(others) if others else 0.0

    def _is_spare(self, member: Member) -> bool:
        return any(_is_available(other) for other in self.members.values() if other is not member)

    def _turned(self, member: Member, what: str) -> None:
        self._sort()
        log("backend_turned", backend=member.backend.name, now=what, panics=self.panics)

    def _sort(self) -> None:
        """Find who may have requests: all, when fewer than half are well."""
        wanted = [member for member in self.members.values() if not member.draining]
        available = [member for member in wanted if _is_available(member)]
        self.panics = 2 * len(available) < len(wanted)
        self._open = wanted if self.panics else available
        self._loads = [member.load for member in self._open]
        self._ejected = [one for one in wanted if one.ejection.trust is not Trust.TRUSTED]


def _is_available(member: Member) -> bool:
    trusted = member.ejection.trust is Trust.TRUSTED
    return trusted and member.health.is_up and not member.draining


def log(event: str, **fields: Any) -> None:
    """Write a line of JSON to standard error."""
    sys.stderr.write(f"{json.dumps({'event': event, 'logger': 'lb', **fields})}\n")
    sys.stderr.flush()
