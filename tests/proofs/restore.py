"""Restore a bank of three nodes to random points, and show that the books are those of the point.

Clients move money between all nodes while `manage.py backup keep` receives the nodes' logs and sets
marks. Then the whole bank is restored to ``POINTS`` marks (20; ``SEED`` chooses), each into empty
folders: what was answered before the mark is there on both sides, what was asked after it is not,
what was under way is there whole or not at all, and the books, the replica's too, prove. Besides,
``FIRES`` (3) branches burn under load, whose servers answer only what has come in at the backup:
each is restored alone, as far as that goes, and nothing that was answered is missing.
"""

import os
import random
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.faults._laboratory import Laboratory, Template, laboratory, template
from tests.faults._programs import Worker, watch, worker
from tests.proofs._outcome import conclude
from tests.proofs._restored import (
    Asked,
    Kept,
    as_of,
    asked_in,
    burn,
    count_of,
    keeping,
    kept_of,
    restored,
    settle_and_check,
)
from transactions.branches.marks import Mark

_CLIENTS: Final = 4
_APART_SECONDS: Final = (0.3, 1.7)
_BRANCHES: Final = ("MUM", "DEL")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much, and with which dice. Without ``is_copied`` the replica is left out."""

    points: int
    fires: int
    seed: int
    processes: int = 2
    is_copied: bool = True


@dataclass
class Found:
    """What happened, and what should not have."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def prove(plan: Plan, opened: Template) -> Found:
    """Work, mark, burn, restore, and compare every answer with the books."""
    found = Found()
    with TemporaryDirectory(prefix="bank-backups-") as folder:
        with laboratory(opened) as lab:
            kept = kept_of(lab, Path(folder))
            asked, marks = _work(lab, kept, plan, found)
        for mark in marks:
            sendings = as_of(asked, mark)
            with restored(kept, lab, opened, mark) as again:
                wrong, settled = settle_and_check(again, sendings, is_copied=plan.is_copied)
            print(f"{mark.name}: {count_of(sendings)} answers, {len(wrong)} wrong", flush=True)
            found.failures += [f"{mark.name}: {each}" for each in wrong]
            found.counts["points"] += 1
            found.counts["answers_at_points"] += count_of(sendings)
            found.counts["settled_after_restores"] += settled
            held = (mark.ended - mark.began).total_seconds()
            found.counts["slowest_mark_ms"] = max(
                found.counts["slowest_mark_ms"], round(1000 * held)
            )
    return found


def _work(lab: Laboratory, kept: Kept, plan: Plan, found: Found) -> tuple[list[Asked], list[Mark]]:
    """Let clients work while backups are kept; return what they did, and marks of that time."""
    dice = random.Random(plan.seed)
    with ExitStack() as stack:
        stack.enter_context(watch(lab))
        stack.enter_context(keeping(kept.of(lab)))
        kept.wait_for_mark(after=0.0)
        workers = [
            stack.enter_context(worker(lab, name=f"w{n}", seed=plan.seed, clients=_CLIENTS))
            for n in range(plan.processes)
        ]
        for each in workers:
            each.wait_until_ready()
        _set_to_work(workers)
        marks = []
        for _ in range(plan.points):
            time.sleep(dice.uniform(*_APART_SECONDS))
            marks.append(kept.wait_for_mark(after=time.time()))
        for fire in range(plan.fires):
            _burn_under_load(lab, kept, _BRANCHES[fire % len(_BRANCHES)], found)
        _rest(workers)
        asked = asked_in(lab.folder / f"{each.name}.notes" for each in workers)
        if plan.fires:
            wrong, _settled = settle_and_check(
                lab, tuple(each.sending for each in asked), is_copied=plan.is_copied
            )
            found.failures += [f"after {plan.fires} fires: {each}" for each in wrong]
    found.counts["transfers"] = len(asked)
    return asked, marks


def _burn_under_load(lab: Laboratory, kept: Kept, alias: str, found: Found) -> None:
    with lab.nodes[alias].connect() as node:
        node.execute("ALTER SYSTEM SET synchronous_standby_names = 'bank_backup'")
        node.execute("SELECT pg_reload_conf()")
    time.sleep(1.0)
    before = time.monotonic()
    burn(lab, kept, alias)
    found.counts["fires"] += 1
    seconds = round(time.monotonic() - before)
    found.counts["slowest_fire_seconds"] = max(found.counts["slowest_fire_seconds"], seconds)
    kept.wait_for_mark(after=time.time())


def _set_to_work(workers: list[Worker]) -> None:
    for each in workers:
        each.tell("work")


def _rest(workers: list[Worker]) -> None:
    for each in workers:
        each.tell("rest")
    for each in workers:
        each.hear("resting")


def main() -> int:
    """Prove it as the environment says; return the exit status."""
    plan = Plan(
        points=int(os.environ.get("POINTS", "20")),
        fires=int(os.environ.get("FIRES", "3")),
        seed=int(os.environ.get("SEED", random.randrange(10**6))),
    )
    print(f"seed {plan.seed}")
    with template() as opened:
        found = prove(plan, opened)
    return conclude(name="restore", seed=plan.seed, counts=found.counts, failures=found.failures)


if __name__ == "__main__":
    sys.exit(main())
