"""What runs in a bank on this machine: each process with its command and its stop signal."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from bankproject.runtime.home import Home
from bankproject.runtime.postgres import Cluster
from bankproject.runtime.valkey import Valkey

PROJECT: Final = Path(__file__).resolve().parents[2]
WEB_WORKERS: Final = 2
WEB_THREADS: Final = 8

Stage = Literal["servers", "opening", "pages", "background"]


@dataclass(frozen=True, kw_only=True)
class Program:
    """One supervised process. Stages start in order and stop in the reverse order."""

    name: str
    stage: Stage
    command: list[str]
    stop_signal: str = "TERM"
    stop_seconds: int = 15
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A bank that is about to start.

    ``settings`` is what its processes read as environment, ``owner`` what only the opening may
    read besides. ``database`` tells the bank's database from others. A server that somebody else
    runs is None.
    """

    home: Home
    port: int
    settings: Mapping[str, str]
    owner: Mapping[str, str]
    database: str
    cluster: Cluster | None
    valkey: Valkey | None

    def nodes(self) -> dict[str, str]:
        """Return what management commands beside the running bank need to know."""
        return {**self.settings, **self.owner}

    def programs(self) -> list[Program]:
        """Return every process of the bank."""
        return [*self._servers(), self._opening(), self._pages(), *self._background()]

    def _servers(self) -> list[Program]:
        servers = []
        if self.cluster:
            command = self.cluster.command()
            servers.append(
                Program(
                    name="postgres",
                    stage="servers",
                    command=command,
                    stop_signal="INT",
                    stop_seconds=60,
                )
            )
        if self.valkey:
            servers.append(Program(name="valkey", stage="servers", command=self.valkey.command()))
        return servers

    def _opening(self) -> Program:
        server = [f"--postgres-port={self.cluster.port}"] if self.cluster else []
        return Program(
            name="opening",
            stage="opening",
            command=[sys.executable, "-m", "bankproject.runtime.opening", self.database, *server],
            environment={**self.settings, **self.owner},
        )

    def _background(self) -> list[Program]:
        celery = [sys.executable, "-m", "celery", "--app", "bankproject.celery"]
        schedule = self.home.data / "beat-schedule"
        commands = {
            "worker": [*celery, "worker", "--loglevel=INFO", "--concurrency=2", "--without-mingle"],
            "beat": [*celery, "beat", "--loglevel=INFO", f"--schedule={schedule}", "--pidfile="],
            "watch": [sys.executable, "manage.py", "watch"],
        }
        return [
            Program(name=name, stage="background", command=command, environment=self.settings)
            for name, command in commands.items()
        ]

    def _pages(self) -> Program:
        command = [
            *(sys.executable, "-m", "gunicorn", "bankproject.wsgi"),
            f"--bind=127.0.0.1:{self.port}",
            "--worker-class=gthread",
            f"--workers={WEB_WORKERS}",
            f"--threads={WEB_THREADS}",
            # The application is read once, before the workers part from their parent.
            "--preload",
            "--graceful-timeout=5",
            "--no-control-socket",
        ]
        return Program(name="web", stage="pages", command=command, environment=self.settings)
