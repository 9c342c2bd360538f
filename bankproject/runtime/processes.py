"""Which processes belong to a bank, by process id and start time, and how to end them.

Each process records itself before it becomes its program, so that none is ever unknown; a bank
whose supervisor was killed can be told from strangers that were given the same ids.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

# Each PostgreSQL server has its node's code after this.
POSTGRES: Final = "postgres"
VALKEY: Final = "valkey"
BALANCER: Final = "balancer"
STOP_SECONDS: Final = 15
SERVER_STOP_SECONDS: Final = 60
# Start times are read with the boot time, which steps with the clock.
SAME_START_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Record:
    """One process as it was started."""

    name: str
    pid: int
    started_at: float

    @property
    def stop_signal(self) -> signal.Signals:
        """Return what asks the process to stop; SIGINT is the fast end of some."""
        return signal.SIGINT if self.name.startswith((POSTGRES, BALANCER)) else signal.SIGTERM

    @property
    def is_server(self) -> bool:
        """Tell whether the process keeps data for others."""
        return self.name.startswith((POSTGRES, VALKEY))


def record_self(folder: Path, name: str) -> None:
    """Write this process's record into ``folder``.

    The file is overwritten in place and keeps its length: that works on a full disk, too.
    """
    text = f"{os.getpid()} {psutil.Process().create_time()!r}".ljust(48)
    file = os.open(folder / name, os.O_WRONLY | os.O_CREAT, mode=0o600)
    try:
        os.write(file, text.encode("ascii"))
    finally:
        os.close(file)


def read_record(file: Path) -> Record | None:
    """Return the record in ``file``; None when there is none to be read."""
    try:
        pid, started_at = file.read_text(encoding="ascii").split()
        return Record(name=file.name, pid=int(pid), started_at=float(started_at))
    except (OSError, ValueError):
        return None


def find_process(record: Record) -> psutil.Process | None:
    """Return the recorded process if it lives; another one with its id is not it."""
    try:
        process = psutil.Process(record.pid)
        same = abs(process.create_time() - record.started_at) < SAME_START_SECONDS
        alive = process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return None
    return process if same and alive else None


def stop_leftovers(*, folder: Path, home: Path) -> list[str]:
    """End what an earlier supervisor of the bank in ``home`` left; return the names.

    First the bank's own processes, then its servers.
    """
    records = [found for file in sorted(folder.iterdir()) if (found := read_record(file))]
    clients = [record for record in records if not record.is_server]
    servers = [record for record in records if record.is_server]
    ended = [
        *_end_all(clients, home, seconds=STOP_SECONDS),
        *_end_all(servers, home, seconds=SERVER_STOP_SECONDS),
    ]
    for record in records:
        (folder / record.name).unlink(missing_ok=True)
    return ended


def _end_all(records: list[Record], home: Path, *, seconds: int) -> list[str]:
    found = {record: list(_family(record, home)) for record in records}
    for record, family in found.items():
        leader = find_process(record)
        for process in [leader] if leader else family:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(record.stop_signal)
    everyone = [process for family in found.values() for process in family]
    _gone, alive = psutil.wait_procs(everyone, timeout=seconds)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=STOP_SECONDS)
    return [record.name for record, family in found.items() if family]


def _family(record: Record, home: Path) -> Iterator[psutil.Process]:
    """Yield the recorded process and those of its process group, even when it is gone itself.

    A group without its leader counts only where the members carry this bank's folder.
    """
    leader = find_process(record)
    if leader:
        yield leader
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            in_group = os.getpgid(process.pid) == record.pid and process.pid != record.pid
            if in_group and (leader or process.environ().get("BANK_VAR") == str(home)):
                yield process
