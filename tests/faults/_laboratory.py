"""A whole bank under test: its nodes, its programs, and what stands in its books."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Final

from tests.faults._nodes import HEAD_OFFICE, REPLICA, LabNode, running_nodes

PROJECT: Final = Path(__file__).resolve().parents[2]
_NO_BROKER: Final = "redis://127.0.0.1:1/0"


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """The nodes, and the environment in which programs find them through their proxies.

    ``nodes`` are those that take writes.
    """

    folder: Path
    nodes: Mapping[str, LabNode]
    replica: LabNode
    environment: Mapping[str, str]

    def manage(self, *words: str) -> str:
        """Run a management command and return what it prints.

        Raises:
            RuntimeError: it fails, with its complaint.
        """
        return self._finish([str(PROJECT / "manage.py"), *words])

    def run(self, module: str, *, text: str = "") -> str:
        """Run a module of the project on ``text`` and return what it prints.

        Raises:
            RuntimeError: it fails, with its complaint.
        """
        return self._finish(["-m", module], text=text)

    @contextmanager
    def program(self, *words: str, name: str) -> Iterator[Popen[str]]:
        """Start Python with ``words``; it talks on its pipes, and is killed in the end.

        ``name`` is how the nodes, and the cuts of the proxies, know its connections.
        """
        with (self.folder / f"{name}.log").open("a", encoding="utf-8") as log:
            process = Popen(
                [sys.executable, *words],
                env={**self.environment, "PGAPPNAME": name},
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

    def heal(self) -> float:
        """Undo every fault and return the instant of the monotonic clock when all was well."""
        for node in (*self.nodes.values(), self.replica):
            node.heal()
        return time.monotonic()

    def _finish(self, words: list[str], *, text: str = "") -> str:
        done = subprocess.run(
            [sys.executable, *words],
            check=False,
            capture_output=True,
            text=True,
            input=text,
            env=dict(self.environment),
            cwd=PROJECT,
        )
        if done.returncode != 0:
            message = f"{' '.join(words)} failed: {done.stdout}{done.stderr}"
            raise RuntimeError(message)
        return done.stdout


@dataclass(frozen=True, kw_only=True)
class Template:
    """The data of nodes that have been opened, to be copied."""

    folder: Path
    password: str
    ports: Mapping[str, int]


@contextmanager
def template() -> Iterator[Template]:
    """Open a bank of three nodes with the workload's accounts, and keep its data for a while."""
    password = secrets.token_urlsafe(16)
    with _folder() as folder:
        with running_nodes(folder, password=password) as nodes:
            open_bank(around(nodes, folder=folder))
            for node in nodes.values():
                node.cluster.stop()
            ports = {alias: node.proxy.port for alias, node in nodes.items()}
        yield Template(folder=folder, password=password, ports=ports)


@contextmanager
def new_laboratory(*, broker: str) -> Iterator[Laboratory]:
    """Open a bank of three nodes with the workload's accounts, and yield it at work."""
    password = secrets.token_urlsafe(16)
    with _folder() as folder, running_nodes(folder, password=password) as nodes:
        lab = around(nodes, folder=folder, broker=broker)
        open_bank(lab)
        yield lab


@contextmanager
def laboratory(template: Template, *, broker: str = _NO_BROKER) -> Iterator[Laboratory]:
    """Yield a copy of a bank at work, gone in the end. Without a ``broker`` Redis is down.

    One at a time: copies have the addresses of their template.
    """
    with _folder() as folder:
        # Not shutil's way: whose the files are must stay so, too.
        copy = ["cp", "-a", f"{template.folder}/.", str(folder)]
        subprocess.run(copy, check=True)
        running = running_nodes(folder, password=template.password, ports=template.ports)
        with running as nodes:
            yield around(nodes, folder=folder, broker=broker)


def around(nodes: Mapping[str, LabNode], *, folder: Path, broker: str = _NO_BROKER) -> Laboratory:
    """Return the laboratory of running nodes, the replica among them."""
    return Laboratory(
        folder=folder,
        nodes={alias: node for alias, node in nodes.items() if alias != REPLICA},
        replica=nodes[REPLICA],
        environment={**_environment(nodes), "REDIS_URL": broker, "BANK_VAR": str(folder / "var")},
    )


def new_folder() -> Path:
    """Make a folder that every server may enter."""
    folder = Path(tempfile.mkdtemp(prefix="bank-faults-"))
    folder.chmod(0o755)
    return folder


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder that every server may enter, gone in the end."""
    folder = new_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _environment(nodes: Mapping[str, LabNode]) -> dict[str, str]:
    head_office = nodes[HEAD_OFFICE]
    branches = [node for alias, node in nodes.items() if alias not in {HEAD_OFFICE, REPLICA}]
    return {
        **os.environ,
        "DATABASE_URL": head_office.url(),
        "OWNER_DATABASE_URL": head_office.url(role="bank_owner"),
        "BRANCH_DATABASE_URLS": ",".join(f"{node.alias}={node.url()}" for node in branches),
        "REPLICA_DATABASE_URL": nodes[REPLICA].url(role="bank_readonly"),
        "REPLICATION_DATABASE_URL": head_office.url(role="bank_replica"),
        "BACKUP_DATABASE_URL": head_office.url(role="bank_backup"),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DJANGO_SETTINGS_MODULE": "bankproject.settings.test",
    }


def open_bank(lab: Laboratory) -> None:
    """Migrate the nodes, and open the workload's accounts there."""
    lab.manage("migrate", "--verbosity=0")
    branches = {
        alias: (node.url(role="bank_owner"), node.url())
        for alias, node in lab.nodes.items()
        if alias != HEAD_OFFICE
    }
    lab.run("tests.faults._opening", text=json.dumps(branches))
