"""Kill a branch's primary again and again under load, and show that nothing is lost by its standby.

A bank of three nodes and their replica, where the branch MUM is a cluster that Patroni leads. While
clients send money on all nodes and between them, its primary's server is killed, or everything on
its machine. Each time a standby takes over, the bank finds it by itself, what was in flight is
settled, the killed member comes back as a standby, and every answer is compared with the books, and
these with the replica. In the end the primary is cut off from what leads it while it is written to:
what it answered must be at its successor, and beside that it must answer nothing.

``KILLS=20``, ``MEMBERS=2`` (with three, nothing is answered that is not on two disks), ``SEED=…``.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from shutil import rmtree
from threading import Thread
from typing import Final

import psycopg

from tests.faults._books import read_gids
from tests.faults._ending import ending_of
from tests.faults._judge import Judge
from tests.faults._laboratory import Laboratory, around, new_folder, open_bank
from tests.faults._nodes import running_nodes
from tests.faults._programs import Silent, Worker, watch, worker
from tests.proofs._failover_members import (
    Member,
    Members,
    NotReady,
    as_members,
    etcd,
    refused_stranger,
)
from tests.proofs._outcome import conclude

BRANCH: Final = "MUM"
PASSWORD: Final = "laboratory"  # of servers that live for minutes, on loopback
PROCESSES: Final = 3
CLIENTS: Final = 2
SMALL: Final = {"shared_buffers": "32MB", "max_wal_size": "256MB", "min_wal_size": "64MB"}
SERVES_WITHIN_SECONDS: Final = 90
SETTLES_WITHIN_SECONDS: Final = 30
ANSWERS_WITHIN_SECONDS: Final = 1
BESIDE_SECONDS: Final = 3
_WRITE: Final = f"SELECT ledger.swept_v1('{BRANCH}')"


@dataclass(kw_only=True)
class Times:
    """Milliseconds from each kill until the branch answered a write again, and was settled."""

    by_server: list[float] = field(default_factory=list)
    by_machine: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return medians and the worst percentile."""
        kinds = {
            "server_killed": self.by_server,
            "machine_killed": self.by_machine,
            "all": [*self.by_server, *self.by_machine],
        }
        found = {
            f"ms_to_serve_again_{kind}_{name}": round(figure)
            for kind, times in kinds.items()
            if times
            for name, figure in (("p50", statistics.median(times)), ("p99", max(times)))
        }
        return {**found, "ms_to_settle_what_was_in_flight_at_most": round(max(self.settled))}


class Run:
    """Works, kills, and judges."""

    def __init__(self, lab: Laboratory, members: Members, *, seed: int) -> None:
        """Prepare the dice."""
        self.judge = Judge()
        self.times = Times()
        self._lab = lab
        self._members = members
        self._dice = random.Random(seed)
        self._seed = seed

    def kill(self, times: int) -> None:
        """Kill the primary so many times."""
        with ExitStack() as stack:
            stack.enter_context(watch(self._lab))
            workers = [
                stack.enter_context(
                    worker(self._lab, name=f"w{number}-", seed=self._seed, clients=CLIENTS)
                )
                for number in range(PROCESSES)
            ]
            for each in workers:
                each.wait_until_ready()
            for turn in range(times):
                self._turn(f"kill {turn + 1}", workers, is_machine=turn % 2 == 1)

    def _turn(self, name: str, workers: list[Worker], *, is_machine: bool) -> None:
        victim = self._members.leader()
        for each in workers:
            each.tell("work")
        time.sleep(self._dice.uniform(1.0, 2.0))
        killed_at = time.monotonic()
        victim.kill_machine() if is_machine else victim.kill_server()
        served_at = self._wait_until_served(killed_at)
        served = 1_000 * (served_at - killed_at)
        (self.times.by_machine if is_machine else self.times.by_server).append(served)
        self.times.settled.append(1_000 * self._settled_within())
        if is_machine:
            victim.start()
        self._members.leader()
        self._compare(name, workers)
        kind, wrong = "machine" if is_machine else "server", len(self.judge.failures)
        print(f"{name}, {kind}: serves after {served:.0f} ms, {wrong} things wrong", flush=True)

    def _wait_until_served(self, since: float) -> float:
        """Return when a write at the branch is answered, by whoever takes writes there."""
        url = self._lab.nodes[BRANCH].url()
        while time.monotonic() < since + SERVES_WITHIN_SECONDS:
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=2) as branch:
                    branch.execute(_WRITE)
                    return time.monotonic()
            except psycopg.Error:
                time.sleep(0.05)
        message = f"{BRANCH} does not serve {SERVES_WITHIN_SECONDS} s after a kill"
        raise NotReady(message)

    def _settled_within(self) -> float:
        """Return after how many seconds nothing is in doubt any more that is so now."""
        began = time.monotonic()
        open_then = self._in_doubt()
        while open_then & self._in_doubt():
            if time.monotonic() > began + SETTLES_WITHIN_SECONDS:
                self.judge.fail("settling", f"{sorted(open_then)} stay in doubt")
                break
            time.sleep(0.05)
        return time.monotonic() - began

    def _in_doubt(self) -> set[str]:
        found: set[str] = set()
        for node in self._lab.nodes.values():
            with node.connect() as connection:
                found.update(read_gids(connection.cursor()))
        return found

    def _compare(self, name: str, workers: list[Worker]) -> None:
        """Let the clients rest, and compare all they were told with the books."""
        for each in workers:
            each.tell("rest")
        ending = ending_of(
            self._lab,
            healed_at=time.monotonic(),
            is_busy=lambda: not all(each.has_said("resting") for each in workers),
        )
        for each in workers:
            each.hear("resting")
        self.judge.judge(name, ending, notes=self._lab.folder.glob("*.notes"))

    def cut_off(self) -> None:
        """Let Patroni hang at the primary: a standby takes over, and the former answers no more."""
        former = self._members.leader()
        writes = _Writes(former)
        writes.start()
        former.freeze_patroni()
        try:
            self._judge_cut_off(writes, self._members.leader_besides(former))
            if "has two servers that take writes" not in _doctor(self._lab):
                self.judge.fail("cut off", "the doctor does not see two primaries")
        finally:
            former.wake_patroni()
        writes.join()
        self._members.leader()
        self.judge.counts["cut_off"] += 1

    def _judge_cut_off(self, writes: "_Writes", successor: Member) -> None:
        # What was confirmed before the successor took writes is told by then.
        time.sleep(ANSWERS_WITHIN_SECONDS)
        before = len(writes.answered)
        time.sleep(BESIDE_SECONDS)
        beside = len(writes.answered) - before
        if beside:
            self.judge.fail("cut off", f"the former primary answered {beside} writes")
        lost = set(writes.answered) - _written(successor)
        if lost:
            self.judge.fail("cut off", f"{len(lost)} writes were answered and are lost")
        if not before:
            self.judge.fail("cut off", "the primary never answered")
        self.judge.counts["answered_by_who_was_cut_off"] += before


class _Writes(Thread):
    """Writes at one server, whatever becomes of it, and notes what was answered."""

    def __init__(self, member: Member) -> None:
        super().__init__()
        self.answered: list[int] = []
        self._member = member

    def run(self) -> None:
        """Write until the server ends the connection."""
        with suppress(psycopg.Error), closing(self._member.connect()) as server:
            server.execute("CREATE TABLE public.written (number integer)")
            for number in count():
                server.execute("INSERT INTO public.written VALUES (%s)", [number])
                self.answered.append(number)
                time.sleep(0.01)


def _written(member: Member) -> set[int]:
    with closing(member.connect()) as server:
        return {number for (number,) in server.execute("SELECT number FROM public.written")}


def _doctor(lab: Laboratory) -> str:
    try:
        return lab.manage("doctor")
    except RuntimeError as error:
        return str(error)


@contextmanager
def laboratory(folder: Path, *, members: int) -> Iterator[tuple[Laboratory, Members, str]]:
    """Yield a bank whose branch is a cluster, and where etcd answers."""
    with ExitStack() as stack:
        nodes = stack.enter_context(running_nodes(folder, password=PASSWORD))
        place = stack.enter_context(etcd(folder, start=nodes[BRANCH].cluster.port + 200))
        node, cluster = stack.enter_context(as_members(nodes[BRANCH], count=members))
        lab = around({**nodes, BRANCH: node}, folder=folder)
        for number, member in enumerate(cluster.all, start=1):
            printed = lab.manage("patroni", BRANCH, "--member", str(number))
            member.configure(printed, etcd=place, settings=SMALL)
        cluster.start()
        open_bank(lab)
        yield lab, cluster, place


def prove(*, kills: int, members: int, seed: int) -> tuple[dict[str, object], list[str]]:
    """Do it all; return counts and failures."""
    folder = new_folder()
    try:
        with laboratory(folder, members=members) as (lab, cluster, place):
            print("the bank is open, and its branch a cluster", flush=True)
            run = Run(lab, cluster, seed=seed)
            run.kill(kills)
            run.cut_off()
            said = refused_stranger(cluster.leader(), folder=folder, etcd=place, password=PASSWORD)
            if "system ID mismatch" not in said:
                run.judge.fail("stranger", f"a server of another cluster: {said}")
            lab.manage("check_books")
            counts: dict[str, object] = {"kills": kills, "members": members}
            return counts | run.times.counts() | dict(run.judge.counts), run.judge.failures
    finally:
        rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run the proof, print its counts, and return the exit status."""
    seed = int(os.environ.get("SEED") or random.randrange(2**32))
    kills, members = (int(os.environ.get(name) or usual) for name, usual in _USUAL)
    print(f"seed {seed}: {kills} kills of a cluster of {members}", flush=True)
    try:
        counts, failures = prove(kills=kills, members=members, seed=seed)
    except (NotReady, Silent, RuntimeError) as error:
        counts, failures = {}, [str(error)]
    return conclude(name="failover", seed=seed, counts=counts, failures=failures)


_USUAL: Final = (("KILLS", 20), ("MEMBERS", 2))

if __name__ == "__main__":
    sys.exit(main())
