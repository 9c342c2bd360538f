"""What keeps backups from being made or read, in a line that says what to do."""

import errno
from pathlib import Path


class BackupFailed(Exception):
    """A backup cannot be made or restored. Nothing half-made counts."""


def bytes_in(file: Path) -> bytes:
    """Return what a file holds.

    Raises:
        BackupFailed: it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        message = f"{file} cannot be read: {error.strerror}"
        raise BackupFailed(message) from error


def cannot_write(folder: Path, error: OSError) -> BackupFailed:
    """Return what to tell of a folder that cannot be written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return BackupFailed(f"the disk of {folder} is full; the nodes keep what is not saved yet")
    return BackupFailed(f"{folder} cannot be written: {error.strerror}")
