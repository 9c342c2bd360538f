"""A terminal window in which a test runs the whole bank."""

import fcntl
import http.client
import json
import os
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil

from bankproject.runtime.ports import first_free

PROJECT: Final = Path(__file__).resolve().parents[3]
RUN: Final = (sys.executable, "-m", "bankproject.runtime")
CTRL_C: Final = b"\x03"
# What decides how a bank runs may not come from the shell that runs the tests.
OURS: Final = (
    "BACKEND_",
    "BALANCER_",
    "BANK_",
    "BRANCH_DATABASE_URLS",
    "DATABASE_URL",
    "DJANGO_",
    "HOST",
    "LB",
    "OWNER_DATABASE_URL",
    "REDIS_URL",
    "REPLICA_DATABASE_URL",
    "SECRET_KEY",
)


class Terminal:
    """One window: what runs in it is its foreground job, and is told when it closes."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Open the window and start ``command`` in it."""
        self._ours, theirs = os.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            command,
            cwd=PROJECT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**_plain_environment(), **environment},
            start_new_session=True,
            preexec_fn=_sit_down,  # noqa: PLW1509  no threads
        )
        os.close(theirs)

    def type(self, keys: bytes) -> None:
        """Press ``keys``."""
        os.write(self._ours, keys)

    def close(self) -> None:
        """Close the window."""
        if self._ours >= 0:
            os.close(self._ours)
            self._ours = -1

    def read(self) -> str:
        """Return all that was shown until now."""
        while self._ours >= 0 and select.select([self._ours], [], [], 0)[0]:
            try:
                data = os.read(self._ours, 65536)
            except OSError:
                break
            if not data:
                break
            self.shown += data.decode()
        return self.shown

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Return when ``text`` has been shown."""
        deadline = time.monotonic() + seconds
        while text not in self.read():
            assert time.monotonic() < deadline, f"{text!r} was not shown: {self.shown}"
            time.sleep(0.05)

    def wait(self, seconds: float = 60) -> int:
        """Return the exit status of what runs here."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            self.read()
            assert time.monotonic() < deadline, f"it did not end in {seconds} s: {self.read()}"
            time.sleep(0.05)
        self.read()
        return self.process.returncode


class Bank:
    """A bank in a folder of its own, run in one terminal after another."""

    def __init__(self, folder: Path) -> None:
        """Take ``folder`` for the bank's data; it need not exist."""
        self.folder = folder
        self.port = first_free(18_000 + os.getpid() % 1000)

    @contextmanager
    def run(
        self, command: Sequence[str] = RUN, *, prefix: Sequence[str] = (), **environment: str
    ) -> Iterator[Terminal]:
        """Run the bank in a new terminal; nothing of it outlives the block."""
        terminal = self.window(command, prefix=prefix, **environment)
        try:
            yield terminal
        finally:
            self._end_all(terminal)

    def window(
        self, command: Sequence[str] = RUN, *, prefix: Sequence[str] = (), **environment: str
    ) -> Terminal:
        """Open a terminal with ``command`` on this bank, beside others."""
        settings = {"BANK_VAR": str(self.folder), "PORT": str(self.port), **environment}
        return Terminal([*prefix, *command], settings)

    def _end_all(self, terminal: Terminal) -> None:
        """Close the terminal; kill what does not go by itself."""
        terminal.close()
        with suppress(AssertionError):
            self.wait_until_gone()
        while left := self.processes():
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            time.sleep(0.1)
        terminal.process.wait()

    def processes(self) -> list[psutil.Process]:
        """Return every process that carries the bank's folder, and lives.

        In its command, its environment, or (servers overwrite both) as the folder it works in.
        """
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                words = [*process.cmdline(), *process.environ().values(), process.cwd()]
                is_ours = any(str(self.folder) in word for word in words)
                if is_ours and _lives(process):
                    found.append(process)
        return found

    def wait_until_open(self, terminal: Terminal, seconds: float = 240) -> float:
        """Return after how many seconds GET /health answered 200."""
        begun = time.monotonic()
        while self.health() != http.HTTPStatus.OK:
            assert terminal.process.poll() is None, f"it ended: {terminal.read()}"
            waited = time.monotonic() - begun
            assert waited < seconds, f"not open after {seconds} s: {terminal.read()}"
            terminal.read()
            time.sleep(0.05)
        opened = time.monotonic() - begun
        terminal.wait_for("The bank is open")
        return opened

    def health(self) -> int | None:
        """Return the status of GET /health; None when nobody listens."""
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            web.request("GET", "/health", headers={"Host": "localhost"})
            return web.getresponse().status
        except OSError:
            return None
        finally:
            web.close()

    def manage(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a management command in another window beside the bank."""
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT,
            env={**_plain_environment(), "BANK_VAR": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )

    def told(self) -> Any:
        """Return what management commands beside the running bank are told."""
        return json.loads((self.folder / "run" / "nodes.json").read_text(encoding="utf-8"))

    def primaries(self) -> list[str]:
        """Return the addresses of the head office's database and of the branches'."""
        told = self.told()
        branches = (one.split("=", 1)[1] for one in told["BRANCH_DATABASE_URLS"].split(","))
        return [told["DATABASE_URL"], *branches]

    def pid(self, name: str) -> int:
        """Return the recorded process id of the bank's process ``name``; 0 when there is none."""
        with suppress(OSError, ValueError):
            record = (self.folder / "run" / "processes" / name).read_text(encoding="ascii")
            return int(record.split()[0])
        return 0

    def wait_for_new(self, name: str, old: int, seconds: float = 30) -> int:
        """Return the process id of ``name`` once it is another than ``old``."""
        deadline = time.monotonic() + seconds
        while (new := self.pid(name)) in {0, old}:
            assert time.monotonic() < deadline, f"{name} did not come back"
            time.sleep(0.05)
        return new

    def wait_until_gone(self, seconds: float = 30) -> None:
        """Return when no process of the bank is left."""
        deadline = time.monotonic() + seconds
        while left := self.processes():
            # Looking through all of the machine's, again and again, would hold those up.
            while any(map(_lives, left)):
                assert time.monotonic() < deadline, f"left behind: {left}"
                time.sleep(0.05)


def _sit_down() -> None:
    """Make the window the process's own. Ctrl-C counts there, even if the tests run without it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _lives(process: psutil.Process) -> bool:
    """Tell whether a process goes on; one that has ended may wait for its parent to ask."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill(pid: int) -> None:
    """Kill a process as hard as can be."""
    os.kill(pid, signal.SIGKILL)


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
