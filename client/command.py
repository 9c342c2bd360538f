"""What every command of the client is: its options, and a desk to work at."""

import inspect
import os
from collections.abc import Mapping
from typing import Any, Final

import click
import typer
from typer.core import TyperCommand, TyperGroup

from client.desk import Desk, Settings
from client.failures import Failure
from client.screen import Form

DEFAULT_URL: Final = "http://localhost:8000"


class BankGroup(TyperGroup):
    """A group of commands."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help as it stands in the code."""
        del ctx
        _write_help(self.help, formatter)


def noun(text: str) -> typer.Typer:
    """Return the group of the commands about one thing; ``text`` says which."""
    # The command line's own library suggests what was meant; once is enough.
    return typer.Typer(cls=BankGroup, help=text, no_args_is_help=True, suggest_commands=False)


class Command(TyperCommand):
    """A command."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help as it stands in the code: what it does, and examples, before options."""
        del ctx
        _write_help(self.help, formatter)


class BankCommand(Command):
    """A command that asks the bank."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._shared = self.shared_options()
        self.params = [*self.params, *self._shared]

    def shared_options(self) -> list[click.Option]:
        """Return the options that this command has besides its own."""
        return [
            click.Option(
                ["--url"],
                envvar="BANK_URL",
                default=DEFAULT_URL,
                show_default=True,
                help="The bank's address; BANK_URL does the same.",
            ),
            click.Option(
                ["--allow-plaintext"],
                envvar="BANK_ALLOW_PLAINTEXT",
                is_flag=True,
                help="Talk to another machine without TLS.",
            ),
            click.Option(["--json"], is_flag=True, help="Write data as JSON."),
            click.Option(["--plain"], is_flag=True, help="Write data as lines with tabs."),
            click.Option(["-q", "--quiet"], is_flag=True, help="Write data and errors only."),
            click.Option(["--no-input"], is_flag=True, help="Ask nothing."),
        ]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command at a desk that its shared options describe."""
        names = [str(option.name) for option in self._shared]
        given = {name: ctx.params.pop(name) for name in names}
        try:
            ctx.obj = Desk(_settings(given))
            return super().invoke(ctx)
        except Failure as failure:
            failure.as_json = bool(given["json"])
            raise


class ChangeCommand(BankCommand):
    """A command that changes something at the bank."""

    def shared_options(self) -> list[click.Option]:
        """Return the options that this command has besides its own."""
        agreed = click.Option(["-y", "--yes"], is_flag=True, help="Do it without asking.")
        return [agreed, *super().shared_options()]


class KeyedCommand(ChangeCommand):
    """A command that changes something at the bank, once for each key."""

    def shared_options(self) -> list[click.Option]:
        """Return the options that this command has besides its own."""
        key = click.Option(
            ["--key"],
            help="Idempotency key of an earlier try: what was done then is not done again.",
        )
        return [key, *super().shared_options()]


def _write_help(text: str | None, formatter: click.HelpFormatter) -> None:
    formatter.write("\n")
    for line in inspect.cleandoc(text or "").splitlines():
        formatter.write(f"  {line}".rstrip() + "\n")


def _settings(given: Mapping[str, Any]) -> Settings:
    if given["json"] and given["plain"]:
        message = "--json and --plain: choose one."
        raise click.UsageError(message)
    form = Form.JSON if given["json"] else Form.PLAIN if given["plain"] else Form.TABLE
    return Settings(
        url=given["url"],
        allow_plaintext=given["allow_plaintext"],
        token=os.environ.get("BANK_TOKEN") or None,
        form=form,
        is_quiet=given["quiet"],
        no_input=given["no_input"],
        is_agreed=given.get("yes", False),
        key=given.get("key"),
    )
