"""Kill PostgreSQL again and again under random work, and show that no answer was untrue.

Processes post transfers, batches, holds, captures and reversals; the whole server is killed with
SIGKILL and started again. What got no answer is sent again under its key. Afterwards each answer
stands in the books exactly once, nothing else does, the money is all there, and the books prove.

``SEED=…`` repeats the dice, ``FULL=1`` runs ten minutes. ``BREAK=synchronous_commit`` lets the
server answer before the disk has it: then answers get lost, and this proof must fail.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any, Final

import psutil
import psycopg

from bankproject.runtime.postgres import Cluster
from tests.proofs._bank import OwnBank, own_bank
from tests.proofs._outcome import conclude

ACCOUNTS: Final = 200
OPENING: Final = 100_000
FORGETFUL: Final = ("synchronous_commit = off", "wal_writer_delay = 10s")
_OPEN: Final = """
SELECT ledger.open_v1(n, 'INR', 'customer', 1::smallint, true, 0, NULL, 0)
FROM generate_series(100000000001, 100000000000 + %(accounts)s) AS n
"""
_FILL: Final = """
SELECT ledger.post_fully_v1(
    0, 'open ' || n, 99, n, %(opening)s, 'INR', 'deposit', 'bank', '2026-03-02'
)
FROM generate_series(100000000001, 100000000000 + %(accounts)s) AS n
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long, how many, and with which dice."""

    processes: int
    seconds: float
    kills: int
    seed: int
    settings: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What happened, and what should not have."""

    counts: dict[str, int]
    failures: list[str]


def prove(plan: Plan) -> Outcome:
    """Work, kill, start again, settle, and compare every answer with the books."""
    with own_bank(settings=plan.settings) as bank, tempfile.TemporaryDirectory() as folder:
        accounts = _open_accounts(bank)
        files = [Path(folder) / f"{number}.json" for number in range(plan.processes)]
        with ExitStack() as stack:
            workers = [
                stack.enter_context(_worker(bank, plan, number, file, accounts))
                for number, file in enumerate(files)
            ]
            stack.callback(_end, workers)
            for worker in workers:
                _say(worker, "go")
            kills = _kill_now_and_then(bank.cluster, plan)
            failed = sum(worker.wait() != 0 for worker in workers)
        if failed:
            return Outcome(counts={}, failures=[f"{failed} workers did not come to an end"])
        results = [json.loads(file.read_text()) for file in files]
        return _judge(bank, results, kills)


def _open_accounts(bank: OwnBank) -> list[int]:
    numbers = {"accounts": ACCOUNTS, "opening": OPENING}
    with psycopg.connect(bank.app_url, autocommit=True) as app:
        app.execute("SELECT ledger.open_v1(99, 'INR', 'vault', -1::smallint, false, NULL, NULL, 0)")
        app.execute(_OPEN, numbers)
        app.execute(_FILL, numbers)
    return [100_000_000_000 + n for n in range(1, ACCOUNTS + 1)]


def _worker(bank: OwnBank, plan: Plan, number: int, file: Path, accounts: list[int]) -> Popen[str]:
    words = (str(number), str(plan.seed), str(plan.seconds), str(file))
    worker = bank.start_python("tests.proofs._crash_worker", *words)
    _say(worker, json.dumps(accounts))
    return worker


def _say(worker: Popen[str], line: str) -> None:
    """Send a line; the second one when the worker has said that it is ready."""
    if worker.stdin is None or worker.stdout is None:
        raise AssertionError
    if line == "go":
        worker.stdout.readline()
    worker.stdin.write(f"{line}\n")
    worker.stdin.flush()


def _end(workers: list[Popen[str]]) -> None:
    for worker in workers:
        worker.kill()


def _kill_now_and_then(cluster: Cluster, plan: Plan) -> int:
    """Kill and restart the server at random instants over the length of the work."""
    dice = random.Random(plan.seed)
    started = time.monotonic()
    for turn in range(plan.kills):
        at = plan.seconds * (turn + dice.uniform(0.3, 0.9)) / plan.kills
        time.sleep(max(started + at - time.monotonic(), 0.0))
        kill_server(cluster)
        cluster.start()
    return plan.kills


def kill_server(cluster: Cluster) -> None:
    """Kill a server's processes, known by their ids, and return when they are gone."""
    pid = int((cluster.folder / "postmaster.pid").read_text().splitlines()[0])
    postmaster = psutil.Process(pid)
    # Stopped first, so that it starts no backend between the looking and the killing.
    postmaster.send_signal(signal.SIGSTOP)
    family = [*postmaster.children(recursive=True), postmaster]
    for process in family:
        process.kill()
    while any(_lives(process) for process in family):
        time.sleep(0.01)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _judge(bank: OwnBank, results: list[dict[str, Any]], kills: int) -> Outcome:
    """Compare all answers with what stands in the books."""
    counts: Counter[str] = Counter(kills=kills)
    for result in results:
        counts.update(result["counts"])
    answers = [answer for result in results for answer in result["answers"]]
    said = {transfer: a["key"] for a in answers for transfer in a["transfers"]}
    said_holds = {answer["hold"] for answer in answers if answer["hold"]}
    with psycopg.connect(bank.app_url) as app:
        rows = app.execute("SELECT id::text, memo FROM ledger.journal WHERE memo <> ''").fetchall()
        holds = {row[0] for row in app.execute("SELECT id::text FROM ledger.hold")}
        (money,) = app.execute(
            "SELECT sum(balance) FROM ledger.account WHERE number > 99"
        ).fetchone() or (0,)
    written: dict[str, str] = dict(rows)
    counts["transfers_in_answers"] = len(said)
    counts["transfers_in_the_books"] = len(written)
    lost = {i for i, key in said.items() if written.get(i) != key}
    failures = [
        *_complaint(len(lost), "transfers were answered and are lost"),
        *_complaint(len(said_holds - holds), "holds were answered and are lost"),
        *_complaint(len(written.keys() - said.keys()), "transfers were written twice or unasked"),
        *_complaint(len(holds - said_holds), "holds were written twice or unasked"),
        *_complaint(abs(int(money) - ACCOUNTS * OPENING), "minor units appeared or vanished"),
    ]
    books = bank.manage("check_books")
    if books.returncode != 0:
        failures.append(f"the books do not prove: {books.stdout}{books.stderr}")
    return Outcome(counts=dict(counts), failures=failures)


def _complaint(number: int, what: str) -> list[str]:
    return [f"{number} {what}"] if number else []


def main() -> int:
    """Run the proof, print its counts, and return the exit status."""
    broken = os.environ.get("BREAK", "")
    if broken not in {"", "synchronous_commit"}:
        sys.exit(f"BREAK is synchronous_commit or nothing, not {broken!r}")
    seconds = 600 if os.environ.get("FULL") == "1" else 60
    plan = Plan(
        processes=32,
        seconds=seconds,
        kills=seconds // 10,
        seed=int(os.environ.get("SEED") or random.randrange(2**32)),
        settings=FORGETFUL if broken else (),
    )
    print(
        f"seed {plan.seed}: {plan.processes} processes, {seconds} s, {plan.kills} kills", flush=True
    )
    outcome = prove(plan)
    return conclude(
        name="ledger-crash", seed=plan.seed, counts=outcome.counts, failures=outcome.failures
    )


if __name__ == "__main__":
    sys.exit(main())
