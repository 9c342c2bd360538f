"""What answers must not be older than: the person's own last change.

The bank may answer what is read from a copy that is moments old. Its token, given with each change
and sent back with what is read next, keeps it from answering with less.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from client.tokens import own_folder

HEADER: Final = "X-Consistency-Token"
LIFE_SECONDS: Final = 30
"""After this time every copy has all of it, and another bank may be at the address."""


class Recent:
    """The last change at one bank, known to the commands that follow."""

    def __init__(self, url: str) -> None:
        self._file = own_folder() / f"recent-{quote(url.rstrip('/'), safe='')}"

    def headers(self) -> dict[str, str]:
        """Return what is sent along with a request."""
        try:
            age = time.time() - self._file.stat().st_mtime
            return {HEADER: self._file.read_text(encoding="ascii")} if age < LIFE_SECONDS else {}
        except OSError:
            return {}

    def note(self, token: str | None) -> None:
        """Remember what an answer gave, if it gave something."""
        if not token:
            return
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._file.parent)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(token)
        Path(name).replace(self._file)
