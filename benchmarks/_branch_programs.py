"""The programs of the branches' benchmark: clients, the watch, coordinators that are killed."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import permutations
from subprocess import Popen
from typing import Final, Self

from benchmarks._branch_bank import NODES, BranchBank

PROCESSES: Final = 2
_WARM_CLIENTS: Final = 32


@dataclass(frozen=True, kw_only=True)
class Done:
    """What clients did: transfers a second, how often they were sent away, when each was done."""

    rate: float
    busy: int
    instants: list[float]


class Clients:
    """Processes of clients, which share the work evenly; a single client is in the first."""

    def __init__(self, bank: BranchBank) -> None:
        """Start nothing yet."""
        self._bank = bank
        self._stack = ExitStack()
        self._processes: list[Popen[str]] = []

    def __enter__(self) -> Self:
        """Start them, and let each do everything a little: connections, plans, caches."""
        words = ("-m", "benchmarks._branch_client")
        for _ in range(PROCESSES):
            self._processes.append(self._stack.enter_context(self._bank.program(*words)))
        for work in ("local", "cross"):
            self.work(work, count=_WARM_CLIENTS, size=1, seconds=2)
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop them."""
        self._stack.close()

    def work(self, name: str, *, count: int, size: int, seconds: int) -> Done:
        """Let ``count`` clients do one kind of work, ``size`` transfers at a time."""
        working = self._processes[:count]
        for process in working:
            _tell(process, f"{name} {size if size > 1 else count // len(working)} {seconds}")
        answers = [json.loads(_heard(process)) for process in working]
        return Done(
            rate=sum(size * len(answer["instants"]) / answer["seconds"] for answer in answers),
            busy=sum(answer["busy"] for answer in answers),
            instants=sorted(instant for answer in answers for instant in answer["instants"]),
        )


@contextmanager
def watch(bank: BranchBank) -> Iterator[None]:
    """Run `manage.py watch`, which settles what killed coordinators left."""
    with bank.program("manage.py", "watch"):
        yield


def settling_seconds(bank: BranchBank, *, kills: int) -> list[float]:
    """Kill coordinators between all pairs of nodes, and return how long each was in doubt."""
    pairs = list(permutations(NODES, 2))
    with ExitStack() as stack:
        killing = [
            stack.enter_context(
                bank.program("-m", "benchmarks._branch_kills", *pair, str(kills // len(pairs)))
            )
            for pair in pairs
        ]
        return [seconds for process in killing for seconds in json.loads(_heard(process))]


def router_costs(bank: BranchBank) -> dict[str, float]:
    """Return what the router adds to a reading and to a writing request, in µs."""
    with bank.program("-m", "benchmarks._branch_router") as process:
        costs: dict[str, float] = json.loads(_heard(process))
        return costs


def _tell(process: Popen[str], line: str) -> None:
    if process.stdin is None:
        raise AssertionError
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def _heard(process: Popen[str]) -> str:
    """Return the next line of a program.

    Raises:
        RuntimeError: it ended without one.
    """
    if process.stdout is None:
        raise AssertionError
    line = process.stdout.readline()
    if not line:
        message = f"a program of the benchmark failed: {process.args!r}"
        raise RuntimeError(message)
    return line
