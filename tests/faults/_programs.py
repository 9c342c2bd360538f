"""The laboratory's side of the programs: telling workers what to do, hearing what they say."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Final

from tests.faults._laboratory import PROJECT, Laboratory

_START_SECONDS: Final = 30
_THIS_SOON: Final = 30


class Silent(Exception):
    """A worker did not say in time what it should have."""


class Worker:
    """A running ``_worker``."""

    def __init__(self, name: str, process: Popen[str], notes: Path) -> None:
        """Listen, and wait until it is ready."""
        self.name = name
        self.notes = notes
        self._process = process
        self._said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.hear("ready", seconds=_START_SECONDS)

    @property
    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    def tell(self, line: str) -> None:
        """Give a command."""
        if self._process.stdin is None:
            raise AssertionError
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self, beginning: str, *, seconds: float = _THIS_SOON) -> str:
        """Wait for a line with this beginning and return it; others are passed over.

        Raises:
            Silent: none came in time.
        """
        others = []
        while True:
            try:
                line = self._said.get(timeout=seconds)
            except queue.Empty:
                message = f"{self.name} did not say {beginning!r} in {seconds} s, but {others}"
                raise Silent(message) from None
            if line.startswith(beginning):
                return line
            others.append(line)

    def has_said(self, beginning: str) -> bool:
        """Tell whether a line with this beginning has come; it is not passed over."""
        return any(line.startswith(beginning) for line in list(self._said.queue))

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        if self._process.stdout is None:
            raise AssertionError
        for line in self._process.stdout:
            self._said.put(line.strip())


@contextmanager
def worker(lab: Laboratory, *, name: str, seed: int, clients: int = 1) -> Iterator[Worker]:
    """Start a process of clients; it is killed in the end."""
    notes = lab.folder / f"{name}.notes"
    words = ("-m", "tests.faults._worker", name, str(seed), str(clients), str(notes))
    with lab.program(*words, name=name) as process:
        yield Worker(name, process, notes)


@contextmanager
def watch(lab: Laboratory) -> Iterator[Popen[str]]:
    """Run `manage.py watch`, which settles what coordinators left behind."""
    with lab.program(str(PROJECT / "manage.py"), "watch", name="watch") as process:
        yield process
