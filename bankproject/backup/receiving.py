"""Receiving a node's log as it is written, with PostgreSQL's pg_receivewal, and sealing it.

The server keeps in a slot what has not arrived, and the program says at once what has: named in
``synchronous_standby_names``, it makes the server wait for it, and then no answer is ever lost.
"""

import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from subprocess import Popen
from typing import Final, Self

import psycopg
import structlog

from bankproject.backup.continuity import goes_on
from bankproject.backup.failures import BackupFailed, cannot_write
from bankproject.backup.repository import PARTIAL, SEALED, Repository
from bankproject.backup.sealing import seal
from bankproject.backup.servers import ROLE, command, connect, environment, one

# What is plain becomes sealed within this time, also on an idle node.
SEGMENT_SECONDS: Final = 300.0
_AGAIN_SECONDS: Final = 5.0
_ENOUGH_SECONDS: Final = 5.0
_log = structlog.get_logger(__name__)


class Receiver:
    """Receives the log of one node. A context manager: whoever leaves stops receiving."""

    def __init__(self, node: str, repository: Repository) -> None:
        """Prepare; nothing is received yet."""
        self.node = node
        self._repository = repository
        self._store = repository.of(node)
        self._program: Popen[bytes] | None = None
        self._started_at = -_AGAIN_SECONDS
        self._segment_began = time.monotonic()

    def __enter__(self) -> Self:
        """Be ready to receive."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop receiving; what has come in stays, and the server keeps the rest."""
        if self._program is not None:
            self._program.terminate()
            try:
                self._program.wait(_ENOUGH_SECONDS)
            except subprocess.TimeoutExpired:
                self._program.kill()
                self._program.wait()

    @property
    def is_receiving(self) -> bool:
        """Tell whether the program runs."""
        return self._program is not None and self._program.poll() is None

    def tend(self) -> None:
        """Start the program if it does not run, now and then.

        What the server has not any longer, or not in its history, is lost: the gap is noted, what
        came in is sealed, and a new base backup is needed.

        Raises:
            BackupFailed: it is another server than before, or the folder cannot be written.
            psycopg.Error: the node does not answer.
        """
        if self.is_receiving or time.monotonic() < self._started_at + _AGAIN_SECONDS:
            return
        if self._program is not None:
            reason = complaint_in(self._store.log)
            _log.warning("backup_not_receiving", node=self.node, reason=reason)
        self._started_at = time.monotonic()
        self._store.open()
        with connect(self.node) as line:
            self._store.refuse_other_server(one(line, "identity")[0])
            slot = one(line, "slot")
            is_lost = slot is not None and slot[1] == "lost"
            if is_lost:
                one(line, "forget_log")
            one(line, "keep_log")
            if is_lost or not self._goes_on(line):
                self._note_gap()
        self._start()

    def _goes_on(self, line: psycopg.Connection) -> bool:
        # What was sealed before a gap need not be followed.
        sealed = [] if self._store.has_gap else self._store.segments()
        return goes_on(
            self.node,
            line,
            incoming=[path.name for path in self._received()],
            sealed=[path.name.removesuffix(SEALED) for path in sealed],
        )

    def _note_gap(self) -> None:
        _log.error("backup_log_lost", node=self.node)
        self._store.note_gap()
        self._seal(self._received())

    def seal_finished(self) -> None:
        """Seal the segments that have come in whole; fill the one that has been open for long.

        Raises:
            BackupFailed: the folder cannot be written; the next call goes on.
            psycopg.Error: the node does not answer.
        """
        finished = self._finished()
        self._seal(finished)
        if finished:
            self._segment_began = time.monotonic()
        elif time.monotonic() > self._segment_began + SEGMENT_SECONDS:
            self._segment_began = time.monotonic()
            with connect(self.node) as line:
                one(line, "begin_segment")

    def _seal(self, files: Iterable[Path]) -> None:
        for path in files:
            target = self._store.wal / f"{path.name}{SEALED}"
            seal(path.read_bytes(), target, certificate=self._repository.certificate)
            path.unlink()

    def _received(self) -> list[Path]:
        # A timeline's history is written under this name first.
        return sorted(path for path in self._store.receiving.iterdir() if path.suffix != ".tmp")

    def _finished(self) -> list[Path]:
        """Return the files of the log that nothing is added to any more."""
        files = self._received()
        open_ones = [path for path in files if path.suffix == PARTIAL]
        # Where a timeline ended its last segment stays open, beside that of the next timeline.
        return [path for path in files if path not in open_ones[-1:]]

    def _start(self) -> None:
        words = (f"--directory={self._store.receiving}", f"--slot={ROLE}", "--synchronous")
        try:
            with self._store.log.open("ab") as log:
                log.truncate(0)
                self._program = Popen(
                    command("pg_receivewal", self.node, *words, "--no-loop"),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment(),
                )
        except OSError as error:
            raise cannot_write(self._store.folder, error) from error


def complaint_in(log: Path) -> str:
    """Return the first error of what a receiving program said, else its last line, if any.

    What comes after an error is its consequence: that it is disconnected.
    """
    try:
        lines = log.read_text("utf-8", errors="replace").strip().splitlines()
    except FileNotFoundError:
        return ""
    errors = [line for line in lines if " error: " in line]
    return (errors or lines[-1:] or [""])[0]


def wait_until_received(line: psycopg.Connection, lsn: str, *, node: str) -> None:
    """Return when a node's log has come in as far as a place.

    Raises:
        BackupFailed: it has not in time.
        psycopg.Error: the node does not answer.
    """
    one(line, "write_through")
    deadline = time.monotonic() + _ENOUGH_SECONDS
    while not (one(line, "has_received", [lsn]) or [False])[0]:
        if time.monotonic() > deadline:
            message = f"the log of {node} does not come in"
            raise BackupFailed(message)
        time.sleep(0.02)
