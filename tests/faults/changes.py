"""Every fault at every step of changes of accounts, at the branch and at the head office.

Changes of every kind, each by a process of its own, are stopped at a step, the harm is done, they
go on, the harm is undone. Then both sides must agree about each within five seconds, and the same
requests sent again must be done, once in all.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from tests.faults._judge import Judge
from tests.faults._laboratory import Laboratory
from tests.faults._nemesis import SECONDS, Fault, strike
from tests.faults._nodes import HEAD_OFFICE
from tests.faults._programs import Silent, Worker, watch, worker

KINDS: Final = ("open", "freeze", "close", "give", "take")
STEPS: Final = ("asked", "changed", "copied")
BRANCH: Final = "MUM"
_SETTLED_SECONDS: Final = 5.0
_GLANCE_SECONDS: Final = 0.05
# How the account ends, and how many events it then has.
_ENDS: Final = {
    "open": (("open", {"1": "owner"}), 2),
    "freeze": (("frozen", {"1": "owner"}), 3),
    "close": (("closed", {"1": "owner"}), 3),
    "give": (("open", {"1": "owner", "2": "authorised"}), 3),
    "take": (("open", {}), 3),
}
# The workload's accounts took serials without asking for them.
_PEOPLE: Final = """
from accounts.models import User
from transactions.ledger.accounts import next_serials
next_serials(10)
for place in (1, 2):
    assert User.objects.create_user(f"{place}@example.org", full_name="Asha Rao").pk == place
"""
_AT_BRANCH: Final = """
SELECT a.number, a.status, coalesce(
    (SELECT jsonb_object_agg(h.user_id, h.rights) FROM ledger.holder AS h
     WHERE h.account = a.number),
    '{}')
FROM ledger.account AS a INNER JOIN ledger.account_event AS e ON e.account = a.number
WHERE e.action = 'open' AND e.details ->> 'external_reference' = %s
"""
_AT_HEAD_OFFICE: Final = """
SELECT a.number, a.status, coalesce(
    (SELECT jsonb_object_agg(h.user_id, h.rights) FROM accounts_holding AS h
     WHERE h.account_id = a.number),
    '{}')
FROM accounts_account AS a WHERE a.external_reference = %s
"""
_EVENTS: Final = "SELECT count(*) FROM ledger.account_event WHERE account = %s"

Rows = list[tuple[int, str, dict[str, str]]]


@dataclass(frozen=True, kw_only=True)
class ChangeCase:
    """Harm at one step of changes, one of each kind; without a fault their processes are killed."""

    step: str
    fault: Fault | None = None
    node: str = BRANCH
    kinds: tuple[str, ...] = KINDS

    def __str__(self) -> str:
        """Name it."""
        harm = f"{self.fault} of {self.node}" if self.fault else "process killed"
        return f"{harm} at {self.step}"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A change of an account; one that is to be opened has no number yet."""

    kind: str
    reference: str
    number: int = 0

    @property
    def asking(self) -> str:
        """Return the command that asks for it, with the same key each time."""
        return f"change {self.kind} key-{self.reference} {self.number} {self.reference}"

    def of(self, case: ChangeCase) -> str:
        """Name it in a case."""
        return f"{case} of {self.kind}"


def change_cases() -> Iterator[ChangeCase]:
    """Return every fault of each side at every step, and every end of the process."""
    for step in STEPS:
        yield ChangeCase(step=step)
        for fault in Fault:
            for node in (BRANCH, HEAD_OFFICE):
                yield ChangeCase(step=step, fault=fault, node=node)


class ChangeRun:
    """Goes through cases on one laboratory; workers that were killed are replaced."""

    def __init__(self, lab: Laboratory, judge: Judge) -> None:
        """Prepare."""
        self._lab = lab
        self._judge = judge
        self._stack = ExitStack()
        self._workers: list[Worker] = []
        self._serial = 0

    def through(self, cases: Iterable[ChangeCase]) -> None:
        """Try every case and judge after each."""
        self._lab.manage("shell", "--no-imports", "-c", _PEOPLE)
        with self._stack, watch(self._lab):
            for case in cases:
                self._serial += 1
                self._judge.counts.update(cases=len(case.kinds))
                try:
                    self._try(case)
                except Silent as silent:
                    self._judge.fail(str(case), str(silent))
                    for one in self._workers:
                        one.kill()
                    self._lab.heal()

    def _try(self, case: ChangeCase) -> None:
        changes = self._prepared(case)
        self._strike_at_step(case, changes)
        self._judge_agreement(case, changes)
        again = self._ready(len(changes))
        for one, change in zip(again, changes, strict=True):
            one.tell(change.asking)
        for one, change in zip(again, changes, strict=True):
            if one.hear("change") != "change ok":
                self._judge.fail(change.of(case), "the same request sent again was not done")
        self._judge_agreement(case, changes)
        for change in changes:
            self._judge_end(case, change)

    def _prepared(self, case: ChangeCase) -> list[Change]:
        """Return what is to be changed, with accounts opened without harm."""
        opener = self._ready(len(case.kinds))[0]
        changes = []
        for kind in case.kinds:
            reference, number = f"case-{self._serial}-{kind}", 0
            if kind != "open":
                opener.tell(f"change open opening-{reference} 0 {reference}")
                opener.hear("change ok")
                number = self._rows(BRANCH, _AT_BRANCH, reference)[0][0]
            changes.append(Change(kind=kind, reference=reference, number=number))
        return changes

    def _strike_at_step(self, case: ChangeCase, changes: list[Change]) -> None:
        first = self._ready(len(changes))
        for one, change in zip(first, changes, strict=True):
            one.tell(f"stop {case.step}")
            one.hear("awaiting")
            one.tell(change.asking)
        for one in first:
            one.hear(f"at {case.step}")
        if case.fault is None:
            for one in first:
                one.kill()
        else:
            strike(self._lab.nodes[case.node], case.fault)
            for one in first:
                one.tell("go")
            time.sleep(SECONDS[case.fault])
        self._lab.heal()
        for one in first:
            if one.is_alive:
                one.hear("change")

    def _judge_agreement(self, case: ChangeCase, changes: list[Change]) -> None:
        """Wait until both sides agree about every change; what takes too long is a failure."""
        began = time.monotonic()
        open_ones = changes
        while open_ones:
            open_ones = [change for change in open_ones if not self._is_agreed(change)]
            passed = time.monotonic() - began
            if passed >= _SETTLED_SECONDS:
                break
            self._judge.slowest_ms = max(self._judge.slowest_ms, round(1000 * passed))
            time.sleep(_GLANCE_SECONDS)
        for change in open_ones:
            self._judge.fail(change.of(case), "head office and branch do not agree")

    def _is_agreed(self, change: Change) -> bool:
        truth = self._rows(BRANCH, _AT_BRANCH, change.reference)
        return truth == self._rows(HEAD_OFFICE, _AT_HEAD_OFFICE, change.reference)

    def _judge_end(self, case: ChangeCase, change: Change) -> None:
        end, events = _ENDS[change.kind]
        found = self._rows(BRANCH, _AT_BRANCH, change.reference)
        if [(status, holders) for _number, status, holders in found] != [end]:
            self._judge.fail(change.of(case), f"the account ends as {found}")
            return
        with self._lab.nodes[BRANCH].connect() as branch:
            row = branch.execute(_EVENTS, [found[0][0]]).fetchone()
        if row != (events,):
            self._judge.fail(change.of(case), f"{row} events instead of {events}")

    def _rows(self, node: str, query: str, reference: str) -> Rows:
        """Read a node past its proxy."""
        with self._lab.nodes[node].connect() as connection:
            return connection.execute(query.encode(), [reference]).fetchall()

    def _ready(self, count: int) -> list[Worker]:
        """Return so many workers that live."""
        self._workers = [one for one in self._workers if one.is_alive]
        started = [
            self._stack.enter_context(
                worker(self._lab, name=f"change{self._serial}-{place}", seed=0)
            )
            for place in range(len(self._workers), count)
        ]
        for one in started:
            one.wait_until_ready()
        self._workers += started
        return self._workers[:count]
