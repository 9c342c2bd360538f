"""pgbench, run against a bank and against its own built-in load."""

import itertools
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.proofs._bank import OwnBank

SQL: Final = Path(__file__).parent / "sql"
TPCB: Final = "tpcb"
_runs: Final = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class PgBench:
    """pgbench on the server of a bank, all connections prepared, on two threads."""

    bank: OwnBank
    seconds: int
    first_account: int
    accounts: int

    def fill_tpcb(self) -> None:
        """Make the tables of the built-in load, scale 10, in a database beside the bank."""
        self._run("--username=postgres", tool="createdb", words=[TPCB])
        self._run("--username=postgres", "--initialize", "--scale=10", "--quiet", words=[TPCB])

    def tpcb(self, *, clients: int) -> float:
        """Return transactions a second of the built-in tpcb-like load."""
        printed = self._run("--username=postgres", *self._load(clients), words=[TPCB])
        return _rate(printed)

    def script(self, name: str, *, clients: int) -> float:
        """Return transactions a second of one of our scripts, as the application's role."""
        database = self.bank.app_url.rpartition("/")[2]
        printed = self._run(
            "--username=bank_app",
            *self._load(clients),
            f"--file={SQL / name}.sql",
            "--define=turn=0",
            f"--define=run={next(_runs)}",
            f"--define=first={self.first_account}",
            f"--define=accounts={self.accounts}",
            words=[database],
        )
        return _rate(printed)

    def _load(self, clients: int) -> list[str]:
        return [
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={clients}",
            f"--jobs={min(clients, 2)}",
            f"--time={self.seconds}",
        ]

    def _run(self, *options: str, words: list[str], tool: str = "pgbench") -> str:
        cluster = self.bank.cluster
        done = subprocess.run(
            [
                str(cluster.binaries.folder / tool),
                "--host=127.0.0.1",
                f"--port={cluster.port}",
                *options,
                *words,
            ],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "PGPASSWORD": self.bank.password},
        )
        if done.returncode != 0 or "aborted" in done.stderr:
            message = f"{tool} failed: {done.stderr.strip()}"
            raise RuntimeError(message)
        return done.stdout


def _rate(printed: str) -> float:
    found = re.search(r"^tps = ([0-9.]+)", printed, re.MULTILINE)
    if found is None:
        message = f"pgbench printed no rate: {printed}"
        raise RuntimeError(message)
    return float(found[1])
