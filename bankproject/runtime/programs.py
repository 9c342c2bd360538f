"""What runs in a bank on this machine: each process with its command and its stop signal."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from bankproject.queues import LONG, NORMAL, URGENT
from bankproject.runtime.balancing import Balancing
from bankproject.runtime.home import Home
from bankproject.runtime.postgres import Cluster
from bankproject.runtime.processes import BALANCER, POSTGRES, VALKEY
from bankproject.runtime.valkey import Valkey
from core.db.aliases import HEAD_OFFICE

PROJECT: Final = Path(__file__).resolve().parents[2]
WEB_WORKERS: Final = 3
WEB_THREADS: Final = 6

Stage = Literal["servers", "opening", "pages", "balancing", "background"]


def server_name(alias: str) -> str:
    """Return the name of a node's own PostgreSQL server, and of the folder of its data."""
    return POSTGRES if alias == HEAD_OFFICE else f"{POSTGRES}-{alias}"


@dataclass(frozen=True, kw_only=True)
class Program:
    """One supervised process. Stages start in order and stop as supervision ranks them."""

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
    runs is None, and so is the balancer where people reach the web workers directly.
    """

    home: Home
    host: str
    port: int
    settings: Mapping[str, str]
    owner: Mapping[str, str]
    database: str
    aliases: Sequence[str]
    clusters: Mapping[str, Cluster]
    valkey: Valkey | None
    balancing: Balancing | None = None

    @property
    def bound(self) -> str:
        """Return where the pages are served, as servers are told."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def reached(self) -> str:
        """Return the address under which this machine reaches the pages."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104

    def nodes(self) -> dict[str, str]:
        """Return what management commands beside the running bank need to know."""
        return {**self.settings, **self.owner}

    def programs(self) -> list[Program]:
        """Return every process of the bank."""
        return [
            *self._servers(),
            self._opening(),
            self._pages(),
            *self._balancer(),
            *self._background(),
        ]

    def _servers(self) -> list[Program]:
        servers = [
            Program(
                name=server_name(alias),
                stage="servers",
                command=cluster.command(),
                stop_signal="INT",
                stop_seconds=60,
            )
            for alias, cluster in self.clusters.items()
        ]
        if self.valkey:
            servers.append(Program(name=VALKEY, stage="servers", command=self.valkey.command()))
        return servers

    def _opening(self) -> Program:
        servers = [f"--server={alias}={one.port}" for alias, one in self.clusters.items()]
        return Program(
            name="opening",
            stage="opening",
            command=[sys.executable, "-m", "bankproject.runtime.opening", self.database, *servers],
            environment={**self.settings, **self.owner},
        )

    def _background(self) -> list[Program]:
        celery = [sys.executable, "-m", "celery", "--app", "bankproject.celery"]
        worker = [*celery, "worker", "--loglevel=INFO", "--without-mingle"]
        short = f"--queues={URGENT},{NORMAL}"
        commands = {
            "worker": [*worker, short, "--concurrency=3", "--hostname=worker@%h"],
            # A job of hours keeps none of seconds waiting.
            "worker-long": [*worker, f"--queues={LONG}", "--concurrency=1", "--hostname=long@%h"],
            "beat": [*celery, "beat", "--loglevel=INFO", "--pidfile="],
            "watch": [sys.executable, "manage.py", "watch"],
        }
        return [
            *(
                Program(name=name, stage="background", command=command, environment=self.settings)
                for name, command in commands.items()
            ),
            *self._backups(),
        ]

    def _backups(self) -> list[Program]:
        if "BACKUP_FOLDER" not in self.settings:
            return []
        who = {name: url for name, url in self.owner.items() if name == "BACKUP_DATABASE_URL"}
        return [
            Program(
                name="backup",
                stage="background",
                command=[sys.executable, "manage.py", "backup", "keep"],
                environment={**self.settings, **who},
            )
        ]

    def _pages(self) -> Program:
        if self.balancing is None:
            command = pages_command("bankproject.wsgi", self.bound)
            return Program(name="web", stage="pages", command=command, environment=self.settings)
        command = pages_command("bankproject.wsgi", *self.balancing.bound)
        return Program(
            name="web",
            stage="pages",
            command=[*command, "--config=python:bankproject.runtime.backend"],
            environment={**self.settings, **self.balancing.shared},
        )

    def _balancer(self) -> list[Program]:
        if self.balancing is None:
            return []
        return [
            Program(
                name=BALANCER,
                stage="balancing",
                command=self.balancing.command(self.bound),
                # It answers what is asked, and waits for no browser that asks nothing.
                stop_signal="INT",
                environment=self.balancing.shared,
            )
        ]


def pages_command(application: str, *bound: str) -> list[str]:
    """Return the command that serves a WSGI application at addresses with ports."""
    return [
        *(sys.executable, "-m", "gunicorn", application),
        *(f"--bind={one}" for one in bound),
        "--worker-class=bankproject.web.worker.TurnsWorker",
        f"--workers={WEB_WORKERS}",
        f"--threads={WEB_THREADS}",
        # The application is read once, before the workers part from their parent.
        "--preload",
        "--graceful-timeout=5",
        "--no-control-socket",
    ]
