"""A bank of three nodes and a replica, each on a server of its own, for one benchmark."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from subprocess import Popen
from typing import Final

import psycopg

from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import ROLES, Cluster, create_bank, embedded

PROJECT: Final = Path(__file__).resolve().parents[1]
HEAD_OFFICE: Final = "default"
REPLICA: Final = "replica"
NODES: Final = {HEAD_OFFICE: 100, "MUM": 201, "DEL": 202}
ACCOUNTS: Final = 2_000
DATABASE: Final = "bank"
_NO_BROKER: Final = "redis://127.0.0.1:1/0"


def first_account(node: str) -> int:
    """Return the number of a node's first account; its others follow."""
    return NODES[node] * 10**9


@dataclass(frozen=True, kw_only=True)
class BranchBank:
    """The servers by alias, and the environment in which programs find them."""

    folder: Path
    clusters: Mapping[str, Cluster]
    password: str
    environment: Mapping[str, str]

    def connect(self, alias: str) -> psycopg.Connection:
        """Connect to a database as the application, in autocommit; to the replica to read."""
        role = "bank_readonly" if alias == REPLICA else "bank_app"
        return psycopg.connect(_url(self.clusters[alias], self.password, role), autocommit=True)

    def check_books(self) -> str:
        """Check the books of all nodes and return what is wrong; nothing when they prove."""
        done = self._finish("manage.py", "check_books")
        return (done.stdout + done.stderr).strip() if done.returncode else ""

    def run(self, *words: str) -> None:
        """Run Python with ``words``.

        Raises:
            RuntimeError: it fails, with its complaint.
        """
        done = self._finish(*words)
        if done.returncode != 0:
            message = f"{' '.join(words)} failed: {done.stdout}{done.stderr}"
            raise RuntimeError(message)

    @contextmanager
    def program(self, *words: str) -> Iterator[Popen[str]]:
        """Start Python with ``words``; it talks on its pipes, and is killed in the end."""
        with (self.folder / "programs.log").open("a", encoding="utf-8") as log:
            process = Popen(
                [sys.executable, *words],
                env=dict(self.environment),
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def _finish(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            check=False,
            capture_output=True,
            text=True,
            env=dict(self.environment),
            cwd=PROJECT,
        )


@contextmanager
def branch_bank() -> Iterator[BranchBank]:
    """Start the servers, open the accounts, and stop and forget all in the end."""
    folder = Path(tempfile.mkdtemp(prefix="bank-branches-"))
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        password = secrets.token_urlsafe(16)
        ports = count(20_000 + secrets.randbelow(3_000))
        clusters = {}
        for alias in (*NODES, REPLICA):
            cluster = Cluster(
                binaries=embedded(),
                folder=folder / alias.lower(),
                port=first_free(next(ports)),
                settings={"shared_buffers": "64MB"},
            )
            ports = count(cluster.port + 1)
            stack.callback(cluster.stop, mode="immediate")
            _create(cluster, password, is_replica=alias == REPLICA)
            clusters[alias] = cluster
        environment = _environment(folder, clusters, password)
        bank = BranchBank(
            folder=folder, clusters=clusters, password=password, environment=environment
        )
        bank.run("manage.py", "migrate", "--verbosity=0")
        bank.run("-m", "benchmarks._branch_opening")
        yield bank


def _create(cluster: Cluster, password: str, *, is_replica: bool) -> None:
    cluster.create(password=password)
    cluster.start()
    create_bank(
        cluster=cluster,
        superuser_password=password,
        database=DATABASE,
        passwords=dict.fromkeys(ROLES, password),
        is_replica=is_replica,
    )


def _url(cluster: Cluster, password: str, role: str) -> str:
    return cluster.url(database=DATABASE, role=role, password=password)


def _environment(folder: Path, clusters: Mapping[str, Cluster], password: str) -> Mapping[str, str]:
    head_office = clusters[HEAD_OFFICE]
    branches = {node: clusters[node] for node in NODES if node != HEAD_OFFICE}
    return {
        **os.environ,
        "DATABASE_URL": _url(head_office, password, "bank_app"),
        "OWNER_DATABASE_URL": _url(head_office, password, "bank_owner"),
        "BRANCH_DATABASE_URLS": ",".join(
            f"{code}={_url(cluster, password, 'bank_app')}" for code, cluster in branches.items()
        ),
        "REPLICA_DATABASE_URL": _url(clusters[REPLICA], password, "bank_readonly"),
        "REPLICATION_DATABASE_URL": _url(head_office, password, "bank_replica"),
        "REDIS_URL": _NO_BROKER,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "BANK_VAR": str(folder / "var"),
        "DJANGO_SETTINGS_MODULE": "bankproject.settings.test",
    }
