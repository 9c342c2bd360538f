"""The tutorial, followed word for word at a bank that is open."""

import json
import re
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final

from tests.client.sitting import Sitting
from tests.functional.runtime.terminal import PROJECT, Bank
from transactions.demo.loading import PASSWORD

TUTORIAL: Final = PROJECT / "docs" / "tutorial" / "first-transfer.md"
At = Callable[..., AbstractContextManager[Sitting]]


def commands() -> list[str]:
    """Return what the tutorial says to type, in its order."""
    blocks = re.findall(r"```sh\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def follow(bank: Bank, at: At) -> dict[str, str]:
    """Do what the tutorial says once its bank is open; return what each command has shown."""
    first, *others = commands()
    assert first == "make run"
    return {line: _done(bank, at, *shlex.split(line)) for line in others}


def _done(bank: Bank, at: At, program: str, *words: str) -> str:
    if program.endswith("/bank"):
        with at(*words) as desk:
            _answer(desk, words)
            return desk.ends()
    assert words[0] == "manage.py"
    done = bank.manage(*words[1:])
    assert done.returncode == 0, done.stderr
    return done.stdout


def _answer(desk: Sitting, words: tuple[str, ...]) -> None:
    if words[0] == "login":
        desk.answers("Password", PASSWORD)
    if words[:2] == ("transfer", "create") and "--dry-run" not in words:
        desk.answers("Send 500", "y")
        desk.sees("Booked")


def assert_money_has_crossed(shown: dict[str, str]) -> None:
    """Check that what the tutorial promises has been seen."""
    (books,) = (text for line, text in shown.items() if line.endswith("check_books"))
    (nodes,) = (text for line, text in shown.items() if line.endswith("nodes"))
    (statement,) = (text for line, text in shown.items() if "tx list" in line)
    assert json.loads(books)["clean"]
    assert "down" not in nodes
    assert "tutorial" in statement
