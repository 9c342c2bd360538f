"""The first process: it opens the sockets, keeps workers, and can become its own successor.

A restart loses nothing: on SIGHUP this process replaces its program by a new one, keeps its number
and its sockets, starts new workers, and lets the old ones drain only when the new ones serve.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

from lb.data.allowance import shared_memory
from lb.data.fleet import log
from lb.data.worker import BACKLOG, Orders

HANDED_OVER: Final = "LB_DATA_HANDED_OVER"
_START_SECONDS: Final = 30.0
_WAIT_SECONDS: Final = 0.5
_STOPPED: Final = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command line says."""

    listen: tuple[str, int]
    monitor: tuple[str, int]
    snapshot: str
    kept: str | None
    workers: int
    certificate: str | None = None


@dataclass
class Sockets:
    """What outlives a program: each worker's two sockets, the lifeline, notes about clients."""

    listening: list[int]
    monitoring: list[int]
    lifeline: tuple[int, int]
    allowances: int = field(default_factory=shared_memory)

    @classmethod
    def opened(cls, settings: Settings) -> "Sockets":
        """Open all of them. The workers share the port: the kernel deals connections out."""
        host, port = settings.monitor
        return cls(
            listening=[_listen(*settings.listen, shared=True) for _ in range(settings.workers)],
            monitoring=[_listen(host, port + n, shared=False) for n in range(settings.workers)],
            lifeline=os.pipe(),
        )

    def all(self) -> list[int]:
        """Return every descriptor."""
        return [*self.listening, *self.monitoring, *self.lifeline, self.allowances]


@dataclass
class Supervisor:
    """Keeps one worker for each pair of sockets."""

    settings: Settings
    sockets: Sockets
    old: list[int] = field(default_factory=list)
    """Workers of the program before this one."""
    _workers: dict[int, int] = field(default_factory=dict)
    _ready: dict[int, int] = field(default_factory=dict)
    _ending: bool = False
    _successor: bool = False

    def run(self) -> None:
        """Keep workers until told to stop; each of them is replaced when it dies."""
        for number in _STOPPED:
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._replace)
        for place in range(self.settings.workers):
            self._start(place)
        while self._workers or self.old:
            self._hear(_WAIT_SECONDS)
            self._reap()
            if self._successor and not self._ready and not self._ending:
                self._successor = False
                self._become_successor()

    def _start(self, place: int) -> None:
        told, tells = os.pipe()
        orders = Orders(
            listening=self.sockets.listening[place],
            monitoring=self.sockets.monitoring[place],
            ready=tells,
            lifeline=self.sockets.lifeline[0],
            allowances=self.sockets.allowances,
            snapshot=self.settings.snapshot,
            kept=self.settings.kept,
            certificate=self.settings.certificate,
        )
        process = _spawn(orders)
        os.close(tells)
        self._workers[process] = place
        self._ready[told] = process

    def _hear(self, seconds: float) -> None:
        """Wait for a worker to serve. When all do, those of the old program may go."""
        try:
            found, _, _ = select.select(list(self._ready), [], [], seconds)
        except InterruptedError:
            return
        for told in found:
            process = self._ready.pop(told)
            if os.read(told, 1):
                log("worker_ready", pid=process)
            os.close(told)
        if found and not self._ready:
            self._tell(self.old, signal.SIGTERM)

    def _reap(self) -> None:
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._workers.clear()
                self.old.clear()
                return
            if process == 0:
                return
            self._ended(process, os.waitstatus_to_exitcode(status))

    def _ended(self, process: int, status: int) -> None:
        if process in self.old:
            self.old.remove(process)
            return
        place = self._workers.pop(process, None)
        if place is None or self._ending:
            return
        log("worker_died", pid=process, status=status)
        time.sleep(_WAIT_SECONDS)
        self._start(place)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Let the workers drain. By SIGINT they wait for no client that asks nothing."""
        del frame
        self._ending = True
        self._tell([*self._workers, *self.old], signal.Signals(number))

    def _replace(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._successor = True

    def _become_successor(self) -> None:
        """Run the program anew in this process, unless it cannot even be loaded."""
        command = [sys.executable, "-m", "lb.data", *sys.argv[1:]]
        tried = subprocess.run([*command, "--try"], check=False, timeout=_START_SECONDS)
        if tried.returncode != 0:
            log("successor_refused", status=tried.returncode)
            return
        handed: dict[str, Any] = {
            "listening": self.sockets.listening,
            "monitoring": self.sockets.monitoring,
            "lifeline": self.sockets.lifeline,
            "allowances": self.sockets.allowances,
            "old": [*self._workers, *self.old],
        }
        _bequeath(self.sockets.all(), inheritable=True)
        os.environ[HANDED_OVER] = json.dumps(handed)
        os.execv(command[0], command)  # noqa: S606  # no shell is wanted

    @staticmethod
    def _tell(processes: list[int], number: signal.Signals) -> None:
        for process in processes:
            os.kill(process, number)


def supervisor(settings: Settings) -> Supervisor:
    """Return the one to run: with the sockets of the program before, when there was one."""
    handed = os.environ.pop(HANDED_OVER, None)
    if handed is None:
        return Supervisor(settings, Sockets.opened(settings))
    found = json.loads(handed)
    old = found.pop("old")
    sockets = Sockets(**{**found, "lifeline": tuple(found["lifeline"])})
    _bequeath(sockets.all(), inheritable=False)
    return Supervisor(settings, sockets, old)


def _listen(host: str, port: int, *, shared: bool) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found.bind((host, port))
    found.listen(BACKLOG)
    return found.detach()


def _spawn(orders: Orders) -> int:
    """Start a worker that inherits what its orders name, and nothing else."""
    descriptors = [
        *(orders.listening, orders.monitoring),
        *(orders.ready, orders.lifeline, orders.allowances),
    ]
    _bequeath(descriptors, inheritable=True)
    try:
        command = [sys.executable, "-m", "lb.data.worker", orders.written()]
        return os.posix_spawn(command[0], command, os.environ)
    finally:
        _bequeath(descriptors, inheritable=False)


def _bequeath(descriptors: list[int], *, inheritable: bool) -> None:
    for descriptor in descriptors:
        os.set_inheritable(descriptor, inheritable)
