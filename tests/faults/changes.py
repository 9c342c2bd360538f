"""Every fault at every step of changes of accounts, at the branch and at the head office.

A change is stopped at a step, the harm is done, the change goes on, the harm is undone. Then both
sides must agree within five seconds, and the same request sent again must be done, once in all.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
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
    """Harm at one step of a change; without a fault the process is killed."""

    kind: str
    step: str
    fault: Fault | None
    node: str

    def __str__(self) -> str:
        """Name it."""
        harm = f"{self.fault} of {self.node}" if self.fault else "process killed"
        return f"{harm} when {self.kind} is {self.step}"


def change_cases(seed: int) -> Iterator[ChangeCase]:
    """Return every fault of each side at every step, each of one kind of change.

    Five seeds in a row have every fault of every kind: all in one run would take it twice as long.
    """
    first = seed % len(KINDS)
    kinds = cycle((*KINDS[first:], *KINDS[:first]))
    for step in STEPS:
        for kind in KINDS:
            yield ChangeCase(kind=kind, step=step, fault=None, node=BRANCH)
        for fault in Fault:
            for node in (BRANCH, HEAD_OFFICE):
                yield ChangeCase(kind=next(kinds), step=step, fault=fault, node=node)


class ChangeRun:
    """Goes through cases on one laboratory, with a worker that is replaced when it was killed."""

    def __init__(self, lab: Laboratory, judge: Judge) -> None:
        """Prepare."""
        self._lab = lab
        self._judge = judge
        self._stack = ExitStack()
        self._worker: Worker | None = None
        self._serial = 0

    def through(self, cases: Iterable[ChangeCase]) -> None:
        """Try every case and judge after each."""
        self._lab.manage("shell", "--no-imports", "-c", _PEOPLE)
        with self._stack, watch(self._lab):
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

    def _try(self, case: ChangeCase) -> None:
        reference = f"case-{self._serial}"
        number = 0 if case.kind == "open" else self._opened(reference)
        asking = f"change {case.kind} key-{self._serial} {number} {reference}"
        self._strike_at_step(case, asking)
        self._judge_agreement(case, reference)
        again = self._ready()
        again.tell(asking)
        if again.hear("change") != "change ok":
            self._judge.fail(str(case), "the same request sent again was not done")
        self._judge_agreement(case, reference)
        self._judge_end(case, reference)

    def _opened(self, reference: str) -> int:
        """Return the number of an account opened without harm."""
        ready = self._ready()
        ready.tell(f"change open opening-{reference} 0 {reference}")
        ready.hear("change ok")
        return self._rows(BRANCH, _AT_BRANCH, reference)[0][0]

    def _strike_at_step(self, case: ChangeCase, asking: str) -> None:
        first = self._ready()
        first.tell(f"stop {case.step}")
        first.hear("awaiting")
        first.tell(asking)
        first.hear(f"at {case.step}")
        if case.fault is None:
            first.kill()
        else:
            strike(self._lab.nodes[case.node], case.fault)
            first.tell("go")
            time.sleep(SECONDS[case.fault])
        self._lab.heal()
        if first.is_alive:
            first.hear("change")

    def _judge_agreement(self, case: ChangeCase, reference: str) -> None:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < _SETTLED_SECONDS:
            truth = self._rows(BRANCH, _AT_BRANCH, reference)
            if truth == self._rows(HEAD_OFFICE, _AT_HEAD_OFFICE, reference):
                self._judge.slowest_ms = max(self._judge.slowest_ms, round(1000 * passed))
                return
            time.sleep(0.05)
        self._judge.fail(str(case), "head office and branch do not agree")

    def _judge_end(self, case: ChangeCase, reference: str) -> None:
        end, events = _ENDS[case.kind]
        found = self._rows(BRANCH, _AT_BRANCH, reference)
        if [(status, holders) for _number, status, holders in found] != [end]:
            self._judge.fail(str(case), f"the account ends as {found}")
            return
        with self._lab.nodes[BRANCH].connect() as branch:
            row = branch.execute(_EVENTS, [found[0][0]]).fetchone()
        if row != (events,):
            self._judge.fail(str(case), f"{row} events instead of {events}")

    def _rows(self, node: str, query: str, reference: str) -> Rows:
        """Read a node past its proxy."""
        with self._lab.nodes[node].connect() as connection:
            return connection.execute(query.encode(), [reference]).fetchall()

    def _ready(self) -> Worker:
        """Return a worker that lives."""
        if self._worker is None or not self._worker.is_alive:
            started = worker(self._lab, name=f"change{self._serial}", seed=0)
            self._worker = self._stack.enter_context(started)
            self._worker.wait_until_ready()
        return self._worker
