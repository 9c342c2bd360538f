"""What a command ends with when it does not do what it was asked."""

import json
import sys
from collections.abc import Mapping
from enum import IntEnum
from typing import IO, Any, Final

import click


class ExitCode(IntEnum):
    """What the shell is told. ``docs/howto/terminal.md`` lists the same."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    LOGGED_OUT = 3
    NOT_ALLOWED = 4
    NOT_FOUND = 5
    REFUSED = 6
    CODE_NEEDED = 7
    UNREACHABLE = 8
    UNKNOWN = 9
    UNCONFIRMED = 10
    PARTLY = 11


_BY_CODE: Final = {
    "mfa_required": ExitCode.CODE_NEEDED,
    "outcome_unknown": ExitCode.UNKNOWN,
    "step_up_required": ExitCode.CODE_NEEDED,
}
_BY_STATUS: Final = {
    # No answer at all.
    0: ExitCode.UNREACHABLE,
    400: ExitCode.REFUSED,
    401: ExitCode.LOGGED_OUT,
    403: ExitCode.NOT_ALLOWED,
    404: ExitCode.NOT_FOUND,
    409: ExitCode.REFUSED,
    413: ExitCode.REFUSED,
    422: ExitCode.REFUSED,
    429: ExitCode.UNREACHABLE,
    502: ExitCode.UNREACHABLE,
    503: ExitCode.UNREACHABLE,
    504: ExitCode.UNREACHABLE,
}


class Failure(click.ClickException):
    """A command ends here: what happened, what the shell is told, and what to do next.

    ``problem`` is the bank's own document about it, which ``--json`` shows as it is.
    """

    def __init__(
        self,
        message: str,
        code: ExitCode,
        *,
        hint: str = "",
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.exit_code = int(code)  # type: ignore[misc]  # click reads it from the instance
        self.hint = hint
        self.problem = problem
        self.as_json = False

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to the standard error."""
        to = file or sys.stderr
        if self.as_json:
            shown = self.problem or {"detail": self.message, "hint": self.hint}
            to.write(json.dumps(shown, ensure_ascii=False) + "\n")
            return
        to.write(f"Error: {visible(self.message)}\n")
        for fault in (self.problem or {}).get("errors", ()):
            if fault["detail"] != self.message:
                to.write(f"  {visible(fault['pointer'])}: {visible(fault['detail'])}\n")
        if self.hint:
            to.write(f"Try: {self.hint}\n")


def failure_of(status: int, problem: Mapping[str, Any], *, hint: str = "") -> Failure:
    """Return what a problem document of the bank means for a command."""
    name = str(problem.get("code", ""))
    code = _BY_CODE.get(name) or _BY_STATUS.get(status, ExitCode.FAILED)
    said = str(problem.get("detail") or problem.get("title") or f"The bank answered {status}.")
    if code is ExitCode.FAILED and "request_id" in problem:
        said = f"{said} (request {problem['request_id']})"
    return Failure(said, code, hint=hint or _HINTS.get(code, ""), problem=problem)


_HINTS: Final = {ExitCode.LOGGED_OUT: "bank login"}


def visible(text: object) -> str:
    """Return ``text`` without what a terminal would obey instead of show."""
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(text)
    )
