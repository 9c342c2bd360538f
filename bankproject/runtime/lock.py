"""One supervisor for each folder: it holds a lock that ends with it, however it ends."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psutil

from bankproject.runtime.errors import StartError
from bankproject.runtime.home import Home
from bankproject.runtime.processes import find_process, read_record, record_self

# A supervisor notices within this time that its terminal is gone.
NOTICE_SECONDS: Final = 3.0
STOP_SECONDS: Final = 90.0


@contextmanager
def hold_lock(home: Home) -> Iterator[None]:
    """Be the folder's only supervisor for the length of the block.

    Raises:
        StartError: another one runs here.
    """
    with home.lock.open("r+b") as file:
        if not _wait_for(file.fileno(), home):
            holder = read_record(home.lock)
            who = f" (process {holder.pid})" if holder else ""
            message = f"the bank in {home.folder} runs already{who}"
            raise StartError(message)
        record_self(home.run, home.lock.name)
        yield


def _wait_for(file: int, home: Home) -> bool:
    """Take the lock; wait longer while its holder is closing the bank."""
    begun = time.monotonic()
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        patience = NOTICE_SECONDS if home.nodes.exists() else STOP_SECONDS
        if time.monotonic() - begun > patience:
            return False
        time.sleep(0.1)


def stop_holder(home: Home) -> None:
    """Ask the supervisor that runs in ``home``, if any, to close the bank, and wait for it.

    Raises:
        StartError: it does not.
    """
    with home.lock.open("r+b") as file:
        with suppress(BlockingIOError):
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        holder = read_record(home.lock)
        process = find_process(holder) if holder else None
        if process is None:
            message = f"somebody holds {home.lock}, but no supervisor of this bank is known"
            raise StartError(message)
        with suppress(psutil.NoSuchProcess):
            os.kill(process.pid, signal.SIGTERM)
        with suppress(psutil.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return
        message = f"process {process.pid} does not close the bank; see {home.log}"
        raise StartError(message)
