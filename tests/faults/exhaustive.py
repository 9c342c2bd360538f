"""Every fault at every step of a transfer between two nodes, at its source and its destination.

One transfer at a time: it is stopped at a step, the harm is done, the transfer goes on, the harm is
undone; then all must be settled within five seconds, and the same request sent again must be done.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle
from pathlib import Path
from typing import Final

from tests.faults._ending import ending_of, read_now
from tests.faults._judge import Judge
from tests.faults._laboratory import Laboratory
from tests.faults._nemesis import SECONDS, Fault, strike
from tests.faults._opening import HOMES
from tests.faults._programs import Silent, Worker, watch, worker
from tests.faults._proxy import Cut, Moment
from tests.faults._wire import Statement


class Coordinator(StrEnum):
    """What befalls the process that runs the transfer."""

    KILLED = "killed"
    STALLED = "stalled"
    HUNG = "hung"


STEPS: Final = ("begun", "prepared", "decided", "settled")
PAIRS: Final = (
    ("default", "MUM"),
    ("MUM", "DEL"),
    ("DEL", "default"),
    ("MUM", "default"),
    ("DEL", "MUM"),
    ("default", "DEL"),
)
# Stalled: time for several sweeps, which must leave a transfer alone that may still be decided.
# Hung: the source itself gives it up, after three seconds.
_STOPS_SECONDS: Final = {Coordinator.STALLED: 2.3, Coordinator.HUNG: 4.0}
_STRIKES_WITHIN_SECONDS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Case:
    """Harm at one step of a transfer: to its source, its destination or its coordinator."""

    step: str
    harm: Fault | Coordinator
    at_source: bool = True

    def __str__(self) -> str:
        """Name it."""
        if isinstance(self.harm, Coordinator):
            return f"coordinator {self.harm} at {self.step}"
        return f"{self.harm} of the {'source' if self.at_source else 'destination'} at {self.step}"


@dataclass(frozen=True, kw_only=True)
class CutCase:
    """A connection cut at a statement: the coordinator's, or when that is killed, the watch's."""

    statement: Statement
    moment: Moment
    by_watch: bool = False

    def __str__(self) -> str:
        """Name it."""
        whose = "the watch" if self.by_watch else "the coordinator"
        return f"{whose} cut off {self.moment} {self.statement}"


def all_cases() -> Iterator[Case | CutCase]:
    """Return every case."""
    for step in STEPS:
        for befallen in Coordinator:
            yield Case(step=step, harm=befallen)
        for fault in Fault:
            yield Case(step=step, harm=fault, at_source=True)
            yield Case(step=step, harm=fault, at_source=False)
    for moment in Moment:
        for statement in Statement:
            yield CutCase(statement=statement, moment=moment)
        yield CutCase(statement=Statement.COMMIT_PREPARED, moment=moment, by_watch=True)


class Run:
    """Goes through cases on one laboratory, with a worker that is replaced when it was killed."""

    def __init__(self, lab: Laboratory, judge: Judge, *, name: str) -> None:
        """Prepare; ``name`` tells this run's keys from another's."""
        self._lab = lab
        self._judge = judge
        self._name = name
        self._stack = ExitStack()
        self._worker: Worker | None = None
        self._pairs = cycle(PAIRS)
        self._serial = 0

    def through(self, cases: Iterable[Case | CutCase], *, flaw: str | None = None) -> None:
        """Try every case and judge after each. With a ``flaw`` the watch has one."""
        with self._stack, watch(self._lab, flaw=flaw) as watching:
            for case in cases:
                self._serial += 1
                self._judge.counts.update(cases=1)
                try:
                    self._try(case)
                except Silent as silent:
                    self._judge.fail(str(case), str(silent))
                    if self._worker is not None:
                        self._worker.kill()
                    self._lab.heal()
                if watching.poll() is not None:
                    self._judge.fail(str(case), "`manage.py watch` has ended")
                    return

    def _try(self, case: Case | CutCase) -> None:
        """Send while the harm is done; settle; send again under the same key; judge."""
        source, destination = next(self._pairs)
        sending = self._sending(source, destination)
        first = self._ready()
        if isinstance(case, CutCase):
            self._cut_off(case, sending, first, source, destination)
        else:
            self._stop_and_strike(case, sending, first, source if case.at_source else destination)
        healed_at = self._lab.heal()
        ending = ending_of(
            self._lab,
            healed_at=healed_at,
            is_busy=lambda: first.is_alive and not first.has_said("sent"),
        )
        self._judge.judge(str(case), ending, notes=self._notes())
        if ending.settled_seconds is None:
            return
        again = self._ready()
        if first.is_alive:
            first.hear("sent")
        again.tell(sending)
        if again.hear("sent") != "sent ok":
            self._judge.fail(str(case), "the same request sent again was not done")
        ending = ending_of(self._lab, healed_at=time.monotonic(), is_busy=lambda: False)
        self._judge.judge(str(case), ending, notes=self._notes())

    def _stop_and_strike(self, case: Case, sending: str, first: Worker, victim: str) -> None:
        first.tell(f"stop {case.step}")
        first.hear("awaiting")
        first.tell(sending)
        first.hear(f"at {case.step}")
        self._judge.read(read_now(self._lab))
        if isinstance(case.harm, Fault):
            strike(self._lab.nodes[victim], case.harm)
            first.tell("go")
            time.sleep(SECONDS[case.harm])
        elif case.harm is Coordinator.KILLED:
            first.kill()
        else:
            time.sleep(_STOPS_SECONDS[case.harm])
            first.tell("go")

    def _cut_off(
        self, case: CutCase, sending: str, first: Worker, source: str, destination: str
    ) -> None:
        struck = source if case.statement is Statement.COMMIT else destination
        whose = "watch" if case.by_watch else first.name
        cut = Cut(statement=case.statement, moment=case.moment, application=whose)
        self._lab.nodes[struck].proxy.cut(cut)
        if case.by_watch:
            first.tell("die decided")
            first.hear("awaiting")
        first.tell(sending)
        if not cut.made.wait(_STRIKES_WITHIN_SECONDS):
            message = f"no {case.statement} of {whose} came by"
            raise Silent(message)

    def _ready(self) -> Worker:
        """Return a worker that lives."""
        if self._worker is None or not self._worker.is_alive:
            name = f"{self._name}{self._serial}"
            started = worker(self._lab, name=name, seed=0)
            self._worker = self._stack.enter_context(started)
            self._worker.wait_until_ready()
        return self._worker

    def _sending(self, source: str, destination: str) -> str:
        """Return the command to send one paisa, which the source's richest account can spare."""
        balances = read_now(self._lab).views
        here = next(view.balances for view in balances if view.node == source)
        debit = max(here, key=lambda number: here[number] or 0)
        credit = next(number for number, home in HOMES.items() if home == destination)
        return f"send {self._name}-{self._serial} {debit} {credit} 1"

    def _notes(self) -> list[Path]:
        return list(self._lab.folder.glob("*.notes"))
