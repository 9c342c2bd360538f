"""The client's own promises: quick, alone, and as documented."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

import click
import pytest
from typer.completion import (  # type: ignore[attr-defined]  # imported there
    get_completion_script,
)
from typer.main import get_command
from typer.testing import CliRunner

from client.failures import ExitCode, visible
from client.main import app

PROJECT: Final = Path(__file__).resolve().parents[2]
CLIENT: Final = PROJECT / "client"
SLOW: Final = ("django", "hashlib", "keyring", "pydantic", "rich", "urllib3")
"""Libraries that take longer to load than a person should wait for a first word."""


def test_starts_without_slow_libraries() -> None:
    script = "import sys, client.main; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert {"client.main", "typer"} <= set(done.stdout.split())
    assert not {*SLOW} & set(done.stdout.split())


def test_exit_codes_are_those_of_the_documentation() -> None:
    page = (PROJECT / "docs" / "howto" / "terminal.md").read_text(encoding="utf-8")
    listed = {int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    assert listed == {*ExitCode, 130}


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_completion_scripts_are_those_of_the_library(shell: str) -> None:
    """If this fails, write the new one: the library has changed how it is asked."""
    wanted = get_completion_script(prog_name="bank", complete_var="_BANK_COMPLETE", shell=shell)
    assert (CLIENT / "completions" / f"bank.{shell}").read_text(encoding="utf-8") == wanted + "\n"


def test_bash_completes_commands(tmp_path: Path) -> None:
    command = tmp_path / "bank"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m client "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    script = (
        f"source {CLIENT}/completions/bank.bash; COMP_WORDS=(bank tr); COMP_CWORD=1;"
        f' PATH="{tmp_path}:$PATH"; _bank_completion bank; echo "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(
        ["/bin/bash", "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["transfer", "transactions"]


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    shown = visible(b"rent\\x1b]0;owned\\x07\\x9b2J\\u202egnp.exe".decode("unicode_escape"))
    assert shown.isprintable()
    assert "rent" in shown


BANK: Final = cast("click.Group", get_command(app))


def _commands(group: click.Group, *above: str) -> Iterator[tuple[click.Command, str]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, *above, name)
        else:
            yield command, " ".join((*above, name))


@pytest.mark.parametrize(("command", "words"), [*_commands(BANK)])
def test_help_begins_with_examples_and_explains_all(command: click.Command, words: str) -> None:
    done = CliRunner().invoke(app, [*words.split(), "--help"], prog_name="bank")
    before, _examples, after = done.stdout.partition("\n  Examples:\n      bank ")
    assert f"bank {words}" in done.stdout
    assert after
    assert "--" not in before
    shown = "".join(after.split())
    for parameter in command.params:
        told: str | None = getattr(parameter, "help", None)
        assert told
        assert "".join(told.split()) in shown
