"""The folder of all that a bank on this machine keeps: data, logs, secrets, outbox, models."""

import json
import os
import secrets
import shutil
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bankproject.runtime.errors import StartError

NEEDED_BYTES: Final = 300 * 1024 * 1024
SECRET_NAMES: Final = (
    "SECRET_KEY",
    "postgres",
    "bank_owner",
    "bank_app",
    "bank_readonly",
    "bank_replica",
    "bank_backup",
    "valkey",
)
# Folders made by earlier releases lack these.
LATER_SECRETS: Final = frozenset({"bank_replica", "bank_backup"})


@dataclass(frozen=True, kw_only=True)
class Home:
    """Paths under ``var/``."""

    folder: Path

    @property
    def data(self) -> Path:
        """Return the folder of the servers' data."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """Return the folder of one log for each process."""
        return self.folder / "log"

    @property
    def run(self) -> Path:
        """Return the folder of what is true only while the bank runs."""
        return self.folder / "run"

    @property
    def processes(self) -> Path:
        """Return the folder of the processes' records."""
        return self.run / "processes"

    @property
    def lock(self) -> Path:
        """Return the file that a running bank holds locked."""
        return self.run / "lock"

    @property
    def nodes(self) -> Path:
        """Return the file by which management commands find the running servers."""
        return self.run / "nodes.json"

    @property
    def outbox(self) -> Path:
        """Return the folder of mails and messages that no server is there to send."""
        return self.folder / "outbox"

    @property
    def secrets(self) -> Path:
        """Return the file of generated passwords."""
        return self.folder / "secrets"

    @property
    def history(self) -> Path:
        """Return the file in which a start notes what later ones need not ask again."""
        return self.folder / "history.json"

    def open(self) -> None:
        """Make the folders.

        Raises:
            StartError: the place cannot be used.
        """
        try:
            for folder in (self.folder, self.data, self.log, self.run, self.processes):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.lock.touch(mode=0o600)
            list(self.data.iterdir())
        except (FileExistsError, NotADirectoryError) as error:
            message = f"{error.filename} is in the way: it must be a folder; move it away"
            raise StartError(message) from error
        except OSError as error:
            message = f"{error.filename or self.folder} cannot be used: {error.strerror}"
            raise StartError(message) from error

    def refuse_full_disk(self) -> None:
        """Check that the disk has room to work.

        Raises:
            StartError: it has not.
        """
        free = shutil.disk_usage(self.folder).free
        if free < NEEDED_BYTES:
            message = (
                f"the disk under {self.folder} is full: {free >> 20} MB free, "
                f"{NEEDED_BYTES >> 20} MB needed; make room or set BANK_VAR to another place"
            )
            raise StartError(message)

    def load_secrets(self) -> dict[str, str]:
        """Return the generated passwords, made once for this folder.

        Raises:
            StartError: they are lost or damaged while the data are there.
        """
        if not self.secrets.exists():
            if any(self.data.iterdir()):
                message = (
                    f"{self.secrets} is gone, and with it the passwords of {self.data}; "
                    "put it back or `make clean`"
                )
                raise StartError(message)
            self._write_secrets({name: secrets.token_hex(32) for name in SECRET_NAMES})
        try:
            found = json.loads(self.secrets.read_text(encoding="utf-8"))
            later = {name: secrets.token_hex(32) for name in LATER_SECRETS - found.keys()}
            known = {name: str({**found, **later}[name]) for name in SECRET_NAMES}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"{self.secrets} is damaged; put it back or `make clean`"
            raise StartError(message) from error
        if later:
            self._write_secrets(known)
        return known

    def _write_secrets(self, known: dict[str, str]) -> None:
        write_private(self.secrets, json.dumps(known))

    def preferred_port(self, offset: int) -> int:
        """Return a port of this folder's own, below those that the system gives out.

        A client that calls a stopped server on a port of the system's range may be given that
        very port as its own address, and then holds it against the server's return.
        """
        place = zlib.crc32(os.fsencode(self.folder)) % 600
        return 20_000 + place * 20 + offset

    def forget(self) -> None:
        """Remove everything that the bank keeps here, and nothing else."""
        for folder in (self.data, self.log, self.run, self.outbox, self.folder / "risk"):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.secrets, self.history):
            file.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def write_private(file: Path, text: str) -> None:
    """Write ``file`` whole or not at all, readable by its owner only."""
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
