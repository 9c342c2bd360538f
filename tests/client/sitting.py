"""A person who sits at a terminal, and does with the client what people do."""

import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.client.conftest import SILENT_KEYRING
from tests.functional.runtime.terminal import PROJECT, Terminal

CLIENT: Final = (sys.executable, "-m", "client")
INSTALLED: Final = (str(PROJECT / ".venv" / "bin" / "bank"),)


class Sitting:
    """One command at a terminal: what it shows is read in order, answers are typed."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._seen = 0

    def sees(self, text: str, seconds: float = 60) -> None:
        """Wait until ``text`` is shown after what was seen before."""
        self.reads(f"({re.escape(text)})", seconds)

    def answers(self, question: str, answer: str) -> None:
        """Wait for a question and answer it."""
        self.sees(question)
        self.types(answer.encode() + b"\n")

    def types(self, keys: bytes) -> None:
        """Press keys."""
        self._terminal.type(keys)

    def chooses(self, label: str) -> None:
        """Choose from the menu that is shown next, by the number before ``label``."""
        number = self.reads(rf"([0-9])  {label}")
        self.answers("Choice [1]", number)

    def reads(self, pattern: str, seconds: float = 60) -> str:
        """Wait until something is shown that looks like ``pattern``, and return its group."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self._terminal.read()[self._seen :])) is None:
            assert time.monotonic() < deadline, f"{pattern!r} is not shown: {self._terminal.shown}"
            time.sleep(0.02)
        self._seen += found.end()
        return found[1]

    def ends(self, status: int = 0) -> str:
        """Wait for the end, and return all that was shown."""
        assert self._terminal.wait(60) == status, self._terminal.shown
        return self._terminal.shown


@contextmanager
def sitting(
    *words: str, url: str, home: Path, program: Sequence[str] = CLIENT
) -> Iterator[Sitting]:
    """Give a command at a new terminal, in the home of one person."""
    told = {
        "BANK_URL": url,
        "PYTHON_KEYRING_BACKEND": SILENT_KEYRING,
        "XDG_CONFIG_HOME": str(home),
        "TERM": "xterm",
    }
    terminal = Terminal((*program, *words), told)
    try:
        yield Sitting(terminal)
    finally:
        terminal.close()
        terminal.process.kill()
        terminal.process.wait()
