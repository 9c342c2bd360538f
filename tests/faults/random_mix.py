"""Random faults while clients send money to and fro: Jepsen's bank workload.

A seed fixes the dice of the faults and of the clients; how they meet is the machine's affair.
"""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from tests.faults._ending import ending_of
from tests.faults._judge import Judge
from tests.faults._laboratory import Laboratory
from tests.faults._nemesis import Fault, strike
from tests.faults._programs import Worker, watch, worker
from tests.faults._proxy import Cut, Moment
from tests.faults._wire import Statement
from tests.faults.exhaustive import STEPS

_PROCESSES: Final = 3
_CLIENTS: Final = 2
_ROUND: Final = 10
_STRIKES_WITHIN_SECONDS: Final = 2.0
_LASTS_SECONDS: Final = (0.1, 1.0)
# Now and then longer than the bank is patient with a lock.
_LASTS_LONG_SECONDS: Final = (2.5, 4.0)
_LONG_ONES: Final = 0.08
_CALM_SECONDS: Final = (0.1, 0.5)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How many faults, and with which dice."""

    faults: int
    seed: int


class Mix:
    """Does random harm to one laboratory, and judges after every round of ten."""

    def __init__(self, lab: Laboratory, judge: Judge, plan: Plan) -> None:
        """Prepare the dice."""
        self._lab = lab
        self._judge = judge
        self._plan = plan
        self._dice = random.Random(plan.seed)
        self._victims = [*lab.nodes.values(), lab.replica]
        self._stack = ExitStack()
        self._workers: list[Worker] = []
        self._at_work: set[Worker] = set()
        self._started = 0

    def run(self) -> None:
        """Do all the harm."""
        with self._stack:
            self._watch = self._stack.enter_context(watch(self._lab))
            self._workers = [self._new_worker() for _ in range(_PROCESSES)]
            for each in self._workers:
                each.wait_until_ready()
            for turn in range(1, self._plan.faults + 1):
                self._set_to_work()
                name = f"fault {turn}, {self._do_harm()}"
                healed_at = self._lab.heal()
                healed_at = self._replace_the_watch(name) or healed_at
                self._replace_the_dead()
                if turn % _ROUND == 0 or turn == self._plan.faults:
                    self._settle(name, healed_at)
                time.sleep(self._dice.uniform(*_CALM_SECONDS))

    def _do_harm(self) -> str:
        """Do harm of a random kind for a while, and return its name."""
        kinds: list[tuple[Callable[[], str], int]] = [
            (self._harm_a_node, 8),
            (self._harm_two_nodes, 1),
            (self._cut_somewhere, 4),
            (self._kill_a_coordinator, 2),
            (self._kill_at_a_step, 4),
            (self._kill_the_watch, 1),
        ]
        (harm,) = self._dice.choices([kind for kind, _ in kinds], [often for _, often in kinds])
        name = harm()
        self._judge.counts.update({f"faults_{name.split(':')[0].replace(' ', '_')}": 1})
        return name

    def _harm_a_node(self) -> str:
        node, fault = self._dice.choice(self._victims), self._dice.choice(list(Fault))
        strike(node, fault)
        self._let_last()
        return f"{fault}: {node.alias}"

    def _harm_two_nodes(self) -> str:
        nodes, faults = self._dice.sample(self._victims, 2), self._dice.choices(list(Fault), k=2)
        for node, fault in zip(nodes, faults, strict=True):
            strike(node, fault)
        self._let_last()
        return f"two nodes: {[node.alias for node in nodes]}, {faults}"

    def _cut_somewhere(self) -> str:
        alias = self._dice.choice(list(self._lab.nodes))
        statement, moment = self._dice.choice(list(Statement)), self._dice.choice(list(Moment))
        cut = Cut(statement=statement, moment=moment)
        self._lab.nodes[alias].proxy.cut(cut)
        self._note_miss(missed=not cut.made.wait(_STRIKES_WITHIN_SECONDS))
        return f"cut {moment} {statement}: {alias}"

    def _kill_a_coordinator(self) -> str:
        victim = self._victim()
        victim.kill()
        return f"coordinator killed: {victim.name}"

    def _kill_at_a_step(self) -> str:
        victim, step = self._victim(), self._dice.choice(STEPS)
        victim.tell(f"die {step}")
        until = time.monotonic() + _STRIKES_WITHIN_SECONDS
        while victim.is_alive and time.monotonic() < until:
            time.sleep(0.01)
        self._note_miss(missed=victim.is_alive)
        if victim.is_alive:
            victim.tell("die never")
        return f"coordinator killed at {step}: {victim.name}"

    def _kill_the_watch(self) -> str:
        self._watch.kill()
        self._watch.wait()
        self._let_last()
        return "watch killed: watch"

    def _victim(self) -> Worker:
        """Return a worker that works, when one does."""
        place = self._dice.randrange(_PROCESSES)
        turned = self._workers[place:] + self._workers[:place]
        return next((each for each in turned if each in self._at_work), turned[0])

    def _let_last(self) -> None:
        is_long = self._dice.random() < _LONG_ONES
        time.sleep(self._dice.uniform(*(_LASTS_LONG_SECONDS if is_long else _LASTS_SECONDS)))

    def _note_miss(self, *, missed: bool) -> None:
        """Count a fault for which the occasion did not come."""
        self._judge.counts.update(faults_missed=missed)

    def _replace_the_watch(self, name: str) -> float | None:
        """Start a watch that was killed again, and return when it worked."""
        if self._watch.poll() is None:
            return None
        if not name.endswith("watch"):
            self._judge.fail(name, "`manage.py watch` has ended")
        self._watch = self._stack.enter_context(watch(self._lab))
        return time.monotonic()

    def _replace_the_dead(self) -> None:
        """Start the workers again that were killed."""
        for place, known in enumerate(self._workers):
            if not known.is_alive:
                self._workers[place] = self._new_worker()

    def _set_to_work(self) -> None:
        """Let those work that have started; who has not does nothing yet."""
        for each in self._workers:
            if each.is_ready.is_set() and each not in self._at_work:
                each.tell("work")
                self._at_work.add(each)

    def _settle(self, name: str, healed_at: float) -> None:
        """Let the clients rest, and judge."""
        resting = [each for each in self._workers if each in self._at_work]
        self._at_work.clear()
        for each in resting:
            each.tell("rest")
        ending = ending_of(
            self._lab,
            healed_at=healed_at,
            is_busy=lambda: any(each.is_alive and not each.has_said("resting") for each in resting),
        )
        self._judge.judge(name, ending, notes=self._lab.folder.glob("*.notes"))
        for each in resting:
            if not each.has_said("resting"):
                self._judge.fail(name, f"{each.name} did not come to rest")
                each.kill()
            else:
                each.hear("resting")
        self._replace_the_dead()

    def _new_worker(self) -> Worker:
        self._started += 1
        started = worker(
            self._lab, name=f"w{self._started}-", seed=self._plan.seed, clients=_CLIENTS
        )
        return self._stack.enter_context(started)
