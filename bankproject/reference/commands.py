"""The page of commands: what each says of itself."""

import re
from argparse import HelpFormatter
from collections.abc import Iterator
from functools import partial
from typing import Final

import click
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandParser
from typer.main import get_command

from bankproject.reference.markdown import code, sentence, table, written
from bankproject.reference.sources import APPS, PROJECT
from client.main import app
from core.management.base import BankCommand

_WIDTH: Final = 96
_TARGET: Final = re.compile(r"^([a-z-]+):.*## (.*)$", re.MULTILINE)


def page() -> str:
    """Return the page."""
    return written(
        "Commands",
        "What can be typed in the project's folder. Each command says the same by `--help`.",
        "## make",
        table(("Target", "What it does"), _targets()),
        "## manage.py",
        "Beside a running bank, as `.venv/bin/python manage.py COMMAND`. What goes wrong is told in"
        " one line, and the exit status is 1.",
        *(_described(name, command) for name, command in _own_commands()),
        "## bank",
        "The terminal client, as `.venv/bin/bank COMMAND`: [how to use it](../howto/terminal.md).",
        table(("Command", "What it does"), _of_the_client(get_command(app), "bank")),
    )


def _targets() -> list[tuple[str, str]]:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    return [(code(f"make {name}"), text) for name, text in _TARGET.findall(makefile)]


def _own_commands() -> Iterator[tuple[str, BaseCommand]]:
    for name, home in sorted(get_commands().items()):
        if home.partition(".")[0] in {*APPS, "bankproject"}:
            yield name, load_command_class(home, name)


def _described(name: str, command: BaseCommand) -> str:
    text = sentence(type(command).__doc__ or "")
    more = " ".join((command.help or "").split())
    said = [text] if more == text else [text, more]
    return "\n\n".join([f"### {name}", *said, _usage(name, command)])


def _usage(name: str, command: BaseCommand) -> str:
    if not isinstance(command, BankCommand):
        return "Its options are those of Django's command."
    shape = partial(HelpFormatter, width=_WIDTH)
    parser = CommandParser(prog=f"manage.py {name}", add_help=False, formatter_class=shape)
    command.add_arguments(parser)
    return f"```text\n{parser.format_help().strip()}\n```"


def _of_the_client(command: click.Command, words: str) -> Iterator[tuple[str, str]]:
    """Go through the client's commands, group by group."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _of_the_client(inner, f"{words} {name}")
    else:
        yield code(words), sentence((command.help or "").partition("Examples:")[0])
