"""How long after its commit a transfer is visible on the replica, while the branches are busy."""

import re
import statistics
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Final
from uuid import UUID, uuid4

import psycopg

from benchmarks._branch_bank import ACCOUNTS, DATABASE, REPLICA, BranchBank, first_account

LOADED: Final = ("MUM", "DEL")
LOAD: Final = 1_500
_PAUSE_SECONDS: Final = 0.02
_GIVE_UP_SECONDS: Final = 10.0
_SCRIPT: Final = Path(__file__).parent / "sql" / "single.sql"
_POST: Final = """
SELECT transfer_id FROM ledger.post_v1(
    1, %s, %s::bigint, %s::bigint, 1::bigint, 'INR', 'transfer', 'api', current_date
)
"""


@dataclass(frozen=True, kw_only=True)
class Lag:
    """From the answer to a commit until a reader of the replica sees it; under what load.

    ``empty_p99_ms`` is what an empty query of the replica takes meanwhile: how busy the machine is.
    """

    transfers_per_second: float
    p50_ms: float
    p99_ms: float
    empty_p99_ms: float


def replica_lag(bank: BranchBank, *, seconds: int) -> Lag:
    """Load both branches and look, transfer by transfer, when one is there."""
    with ExitStack() as stack:
        replica = stack.enter_context(bank.connect(REPLICA))
        branches = {node: stack.enter_context(bank.connect(node)) for node in LOADED}
        loads = [_load(bank, node, seconds=seconds) for node in LOADED]
        lags: list[float] = []
        empty: list[float] = []
        # pgbench connects first, and counts from there.
        until = time.monotonic() + seconds - 1
        while time.monotonic() < until:
            for node, branch in branches.items():
                transfer_id = _post(branch, node)
                lags.append(_seconds_until_visible(replica, transfer_id) * 1000)
                empty.append(_seconds_of_nothing(replica) * 1000)
                time.sleep(_PAUSE_SECONDS)
        rates = [_rate(load) for load in loads]
    percentiles = statistics.quantiles(lags, n=100, method="inclusive")
    return Lag(
        transfers_per_second=sum(rates),
        p50_ms=percentiles[49],
        p99_ms=percentiles[98],
        empty_p99_ms=statistics.quantiles(empty, n=100, method="inclusive")[98],
    )


def _post(branch: psycopg.Connection, node: str) -> UUID:
    first = first_account(node)
    row = branch.execute(_POST, [str(uuid4()), first, first + 1], prepare=True).fetchone()
    if row is None:
        raise AssertionError
    transfer_id: UUID = row[0]
    return transfer_id


def _seconds_until_visible(replica: psycopg.Connection, transfer_id: UUID) -> float:
    committed = time.monotonic()
    look = "SELECT FROM ledger.journal WHERE id = %s"
    while replica.execute(look, [transfer_id], prepare=True).fetchone() is None:
        if time.monotonic() > committed + _GIVE_UP_SECONDS:
            message = f"the replica has not seen {transfer_id} in {_GIVE_UP_SECONDS} s"
            raise RuntimeError(message)
        time.sleep(0.0002)
    return time.monotonic() - committed


def _seconds_of_nothing(replica: psycopg.Connection) -> float:
    asked = time.monotonic()
    replica.execute("SELECT", prepare=True)
    return time.monotonic() - asked


def _load(bank: BranchBank, node: str, *, seconds: int) -> Popen[str]:
    """Start pgbench on a branch, at its part of the load."""
    cluster = bank.clusters[node]
    return Popen(
        [
            str(cluster.binaries.folder / "pgbench"),
            "--host=127.0.0.1",
            f"--port={cluster.port}",
            "--username=bank_app",
            "--no-vacuum",
            "--protocol=prepared",
            "--client=8",
            f"--time={seconds}",
            f"--rate={LOAD // len(LOADED)}",
            f"--file={_SCRIPT}",
            "--define=turn=0",
            f"--define=run={uuid4()}",
            f"--define=first={first_account(node)}",
            f"--define=accounts={ACCOUNTS}",
            DATABASE,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PGPASSWORD": bank.password},
    )


def _rate(load: Popen[str]) -> float:
    printed, _ = load.communicate()
    found = re.search(r"^tps = ([0-9.]+)", printed, re.MULTILINE)
    if found is None or load.returncode != 0:
        message = f"pgbench failed: {printed}"
        raise RuntimeError(message)
    return float(found[1])
