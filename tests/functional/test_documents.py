"""The commands of the documents work, and their links lead somewhere."""

import re
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.core.management import ManagementUtility, get_commands, load_command_class
from typer.testing import CliRunner

from accounts.models import Role, User
from bankproject.queues import QUEUES
from client.main import app
from tests.factories import person

PROJECT: Final = Path(settings.BASE_DIR)
PAGES: Final = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
COMMANDS: Final = sorted(
    {
        line
        for page in PAGES
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        for line in block.splitlines()
        if line.strip()
    }
)
# What needs a place of its own, such as a safe's medium, and is shown with a prompt before it.
SHOWN_OF_THE_BANK: Final = sorted(
    {
        command
        for page in PAGES
        for command in re.findall(
            r"^ *\$ .*manage\.py (.+)$", page.read_text("utf-8"), re.MULTILINE
        )
    }
)
OF_MAKE: Final = [command for command in COMMANDS if command.startswith("make ")]
OF_THE_BANK: Final = [command for command in COMMANDS if "manage.py" in command]
OF_CELERY: Final = [command for command in COMMANDS if command.startswith(".venv/bin/celery ")]
OF_THE_TERMINAL: Final = [command for command in COMMANDS if command.startswith(".venv/bin/bank")]


def test_every_command_is_of_a_known_kind() -> None:
    assert OF_MAKE
    assert OF_THE_BANK
    assert OF_THE_TERMINAL
    assert set(COMMANDS) == {*OF_MAKE, *OF_THE_BANK, *OF_CELERY, *OF_THE_TERMINAL}


@pytest.mark.parametrize("command", OF_MAKE)
def test_make_knows_what_to_do(command: str) -> None:
    """What the targets do is tested where they are: here, that their names are right."""
    words = [*shlex.split(command), "--dry-run"]
    done = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    named = re.search(r"NAME=([\w-]+)", command)
    if named:
        home = "benchmarks" if " bench " in command else "tests/proofs"
        assert (PROJECT / home / f"{named[1].replace('-', '_')}.py").exists()


@pytest.mark.usefixtures("fresh_bank")
@pytest.mark.parametrize("command", OF_THE_BANK)
def test_a_command_of_the_bank_runs(command: str) -> None:
    """That `manage.py` starts as a process is tested with banks: here, what it is told to do."""
    person(role=Role.ADMIN)
    User.objects.update(is_superuser=True, date_joined=datetime(2026, 10, 1, tzinfo=UTC))
    assert exit_of(shlex.split(command)[1:]) == 0


def exit_of(words: list[str]) -> object:
    """Run a command of the bank, and return what a shell would be told of its end."""
    try:
        ManagementUtility(words).fetch_command(words[1]).run_from_argv(words)
    except SystemExit as end:
        return end.code or 0
    return 0


@pytest.mark.parametrize("command", SHOWN_OF_THE_BANK)
def test_the_bank_knows_a_command_that_is_shown(command: str) -> None:
    """What it does is tested where it is: here, that it and its options exist."""
    name, *words = shlex.split(command)
    known = load_command_class(get_commands()[name], name)
    known.create_parser("manage.py", name).parse_args(words)


def test_the_workers_take_every_queue() -> None:
    """What workers do is tested where they are: here, that none of their queues is forgotten."""
    named = re.findall(r"--queues=(\S+)", " ".join(OF_CELERY))
    assert sorted(",".join(named).split(",")) == sorted(QUEUES)


@pytest.mark.parametrize("command", OF_THE_TERMINAL)
def test_the_terminal_client_knows_the_command(command: str) -> None:
    """What the commands do is tested where they are: here, that they and their options exist."""
    words = [*shlex.split(command)[1:], "--help"]
    assert CliRunner().invoke(app, words).exit_code == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
