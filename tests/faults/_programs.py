"""The laboratory's side of the programs: telling workers what to do, hearing what they say."""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from typing import Final

from tests.faults._laboratory import PROJECT, Laboratory

NO_FENCE: Final = "no_fence"
SKIPS_ONE: Final = "skips_one"
"""The flaws that a watch may have."""

_START_SECONDS: Final = 120
_THIS_SOON: Final = 30


class Silent(Exception):
    """A worker did not say in time what it should have."""


class Worker:
    """A running ``_worker``."""

    def __init__(self, name: str, process: Popen[str], log: Path) -> None:
        """Listen."""
        self.name = name
        self._log = log
        self.is_ready = threading.Event()
        self._process = process
        self._said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def is_alive(self) -> bool:
        """Tell whether it still runs."""
        return self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Wait for its start.

        Raises:
            Silent: it does not start, with its complaint.
        """
        until = time.monotonic() + _START_SECONDS
        while not self.is_ready.wait(0.1):
            if not self.is_alive or time.monotonic() > until:
                message = f"{self.name} does not start: {self._log.read_text()}"
                raise Silent(message)

    def tell(self, line: str) -> None:
        """Give a command, which nobody obeys who is dead."""
        if self._process.stdin is None:
            raise AssertionError
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def hear(self, beginning: str, *, seconds: float = _THIS_SOON) -> str:
        """Wait for a line with this beginning and return it; others are passed over.

        Raises:
            Silent: none came in time.
        """
        others: list[str] = []
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
            if line == "ready\n":
                self.is_ready.set()
            else:
                self._said.put(line.strip())


@contextmanager
def worker(lab: Laboratory, *, name: str, seed: int, clients: int = 1) -> Iterator[Worker]:
    """Start a process of clients, which will be ready soon; it is killed in the end."""
    notes = lab.folder / f"{name}.notes"
    words = ("-m", "tests.faults._worker", name, str(seed), str(clients), str(notes))
    with lab.program(*words, name=name) as process:
        yield Worker(name, process, lab.folder / f"{name}.log")


@contextmanager
def watch(lab: Laboratory, *, flaw: str | None = None) -> Iterator[Popen[str]]:
    """Run `manage.py watch`, which settles what coordinators left; it works when this yields.

    With a ``flaw``, a broken one.
    """
    words = (
        ("-m", "tests.faults._broken_watch", flaw)
        if flaw
        else (str(PROJECT / "manage.py"), "watch")
    )
    log = lab.folder / "watch.log"
    before = log.stat().st_size if log.exists() else 0
    with lab.program(*words, name="watch") as process:
        until = time.monotonic() + _START_SECONDS
        while b'"watching"' not in log.read_bytes()[before:]:
            if process.poll() is not None or time.monotonic() > until:
                message = f"`manage.py watch` does not start: {log.read_text()[before:]}"
                raise Silent(message)
            time.sleep(0.05)
        yield process
