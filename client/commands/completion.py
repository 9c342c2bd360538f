"""``bank completion SHELL``: scripts with which shells complete commands and options."""

from enum import StrEnum
from importlib.resources import files
from typing import Annotated

import typer

from client.command import Command


class Shell(StrEnum):
    """A shell that we have a script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="Your shell.")]) -> None:
    """Print the completion script of a shell.

    Examples:
        bank completion bash > ~/.local/share/bash-completion/completions/bank
        bank completion zsh > ~/.zfunc/_bank
        bank completion fish > ~/.config/fish/completions/bank.fish
    """
    script = files("client") / "completions" / f"bank.{shell.value}"
    typer.echo(script.read_text(encoding="utf-8"), nl=False)


def add_to(app: typer.Typer) -> None:
    """Make this command known."""
    app.command(cls=Command)(completion)
