"""Commands in another view of this machine: other mounts, another user."""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.functional.runtime.terminal import PROJECT

NOBODY: Final = 65534


def mounted(own_mounts: tuple[str, ...], *mounts: str) -> tuple[str, ...]:
    """Return what runs a command after the shell lines ``mounts``, in a view of its own."""
    script = " && ".join([*mounts, 'exec "$@"'])
    return (*own_mounts, "sh", "-c", script, "sh")


@contextmanager
def ordinary_user() -> Iterator[tuple[str, ...]]:
    """Yield what runs a command as *nobody*. Only root can.

    Python and the project may lie in a folder that root keeps to itself: in the command's view
    that folder is an open one, with nothing in it but these.
    """
    user = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--")
    kept = Path(tempfile.mkdtemp())
    try:
        needed = {Path(sys.base_prefix), Path(sys.prefix), PROJECT}
        yield (*mounted(("unshare", "--mount", "--"), *_opened(needed, kept)), *user)
    finally:
        shutil.rmtree(kept)


def _opened(needed: set[Path], kept: Path) -> list[str]:
    hidden = {path: closed for path in needed if (closed := _closed_folder_above(path))}
    away, back = [], []
    for number, path in enumerate(hidden):
        place = kept / str(number)
        place.mkdir()
        away.append(shlex.join(["mount", "--bind", str(path), str(place)]))
        back.append(shlex.join(["mkdir", "-p", str(path)]))
        back.append(shlex.join(["mount", "--bind", str(place), str(path)]))
    empty = ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs"]
    cover = [shlex.join([*empty, str(closed)]) for closed in set(hidden.values())]
    return [*away, *cover, *back]


def _closed_folder_above(path: Path) -> Path | None:
    """Return the topmost folder on the way to ``path`` that others may not pass."""
    ways = [*reversed(path.resolve().parents), path.resolve()]
    return next((folder for folder in ways if not folder.stat().st_mode & 0o001), None)
