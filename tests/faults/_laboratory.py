"""A whole bank under test: its nodes, its programs, and what stands in its books."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Final

from tests.faults._nodes import HEAD_OFFICE, LabNode, running_nodes

PROJECT: Final = Path(__file__).resolve().parents[2]
_NO_BROKER: Final = "redis://127.0.0.1:1/0"


@dataclass(frozen=True, kw_only=True)
class Laboratory:
    """The nodes, and the environment in which programs find them through their proxies."""

    folder: Path
    nodes: Mapping[str, LabNode]
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
        for node in self.nodes.values():
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


@contextmanager
def laboratory(*, broker: str = _NO_BROKER, settings: Sequence[str] = ()) -> Iterator[Laboratory]:
    """Yield a bank of three nodes with the workload's accounts, gone in the end.

    Without a ``broker`` it must do without Redis. ``settings`` are more lines for postgresql.conf.
    """
    folder = Path(tempfile.mkdtemp(prefix="bank-faults-"))
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        nodes = stack.enter_context(running_nodes(folder, settings=settings))
        lab = Laboratory(
            folder=folder, nodes=nodes, environment=_environment(folder, nodes, broker)
        )
        _open_bank(lab)
        yield lab


def _environment(folder: Path, nodes: Mapping[str, LabNode], broker: str) -> dict[str, str]:
    head_office = nodes[HEAD_OFFICE]
    branches = [node for node in nodes.values() if node is not head_office]
    return {
        **os.environ,
        "DATABASE_URL": head_office.url(),
        "OWNER_DATABASE_URL": head_office.url(role="bank_owner"),
        "BRANCH_DATABASE_URLS": ",".join(f"{node.alias}={node.url()}" for node in branches),
        "REDIS_URL": broker,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "BANK_VAR": str(folder / "var"),
        "DJANGO_SETTINGS_MODULE": "bankproject.settings.test",
    }


def _open_bank(lab: Laboratory) -> None:
    lab.manage("migrate", "--verbosity=0")
    branches = {
        alias: (node.url(role="bank_owner"), node.url())
        for alias, node in lab.nodes.items()
        if alias != HEAD_OFFICE
    }
    lab.run("tests.faults._opening", text=json.dumps(branches))
