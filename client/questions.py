"""What a command asks the person at the terminal, if there is one."""

import sys
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import click

from client.failures import ExitCode, Failure

Answer = TypeVar("Answer")
INTERRUPTED: Final = 130


class Questions:
    """Asks on the standard error, and only where somebody can answer."""

    def __init__(self, *, is_wanted: bool) -> None:
        self.can_ask = is_wanted and sys.stdin.isatty() and sys.stderr.isatty()

    def text(self, label: str, *, option: str, default: str | None = None) -> str:
        """Ask for a value that ``option`` could have given.

        Raises:
            Failure: nobody can answer.
        """
        self._refuse_without_person(f"{option} is missing.")
        return str(_asked(lambda: click.prompt(label, default=default, err=True))).strip()

    def secret(self, label: str) -> str:
        """Ask for what nobody may read over the shoulder.

        Raises:
            Failure: nobody can answer.
        """
        self._refuse_without_person(f"{label}: this needs a terminal to be typed at.")
        return str(_asked(lambda: click.prompt(label, hide_input=True, err=True)))

    def number(self, label: str, *, most: int) -> int:
        """Ask for a number from 0 to ``most``; 1 is what the empty line means.

        Raises:
            Failure: nobody can answer.
        """
        self._refuse_without_person("A menu needs a person at a terminal.")
        return int(_asked(lambda: click.prompt(label, 1, type=click.IntRange(0, most), err=True)))

    def one_of(self, label: str, choices: Sequence[str], *, option: str) -> int:
        """Let the person choose by number, and return which.

        Raises:
            Failure: nobody can answer.
        """
        self._refuse_without_person(f"{option} is missing.")
        for number, choice in enumerate(choices, 1):
            sys.stderr.write(f"  {number}  {choice}\n")
        known = click.IntRange(1, len(choices))
        return int(_asked(lambda: click.prompt(label, 1, type=known, err=True))) - 1

    def agree(self, question: str, *, is_agreed: bool) -> None:
        """Go on only when the person says yes, or has said so before with ``--yes``.

        Raises:
            Failure: they do not.
        """
        if is_agreed:
            return
        if not self.can_ask:
            message = f"{question} Nobody is here to say yes; nothing was done."
            raise Failure(message, ExitCode.UNCONFIRMED, hint="the same command with --yes")
        if not _asked(lambda: click.confirm(question, err=True)):
            raise _not_done()

    def agree_by_typing(self, warning: str, word: str, *, typed: str | None) -> None:
        """Go on only when the person typed ``word``, here or before with ``--confirm``.

        Raises:
            Failure: they typed something else, or nobody can.
        """
        if typed is None and not self.can_ask:
            message = f"{warning} Nobody is here to confirm it; nothing was done."
            raise Failure(message, ExitCode.UNCONFIRMED, hint=f"--confirm {word}")
        if typed is None:
            sys.stderr.write(f"{warning}\n")
            typed = _asked(lambda: click.prompt(f"Type {word} to confirm", err=True, type=str))
        if typed.strip() != word:
            raise _not_done()

    def _refuse_without_person(self, message: str) -> None:
        if not self.can_ask:
            raise Failure(message, ExitCode.USAGE, hint="--help")


def _asked(ask: Callable[[], Answer]) -> Answer:
    """Return the answer; Ctrl-C and the end of the input end the command."""
    try:
        return ask()
    except click.Abort:
        sys.stderr.write("\n")
        raise click.exceptions.Exit(INTERRUPTED) from None


def _not_done() -> Failure:
    return Failure("Not confirmed; nothing was done.", ExitCode.UNCONFIRMED)
