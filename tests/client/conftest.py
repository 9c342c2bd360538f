"""A bank that is served, people with accounts, and commands given to it."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from allauth.account.models import EmailAddress
from click.testing import Result
from typer.testing import CliRunner

from accounts.models import Role, User
from bankproject.runtime.postgres import BankUrls
from client.door import Door
from client.line import Line
from client.main import app
from client.questions import Questions
from client.screen import Form, Screen
from client.tokens import TokenStore
from tests.factories import account, person
from tests.servers import worker_name
from tests.website import served

PASSWORD = "correct horse battery staple"
SILENT_KEYRING = "keyring.backends.fail.Keyring"


@dataclass(frozen=True)
class Scene:
    """Two customers and an admin, some of their accounts, and the bank's address."""

    address: str
    asha: User
    mine: int
    savings: int
    friend: int
    admin: User


def _verified(**fields: object) -> User:
    user = person(**fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture(scope="module")
def scene(shared_bank: BankUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Give a served bank that the tests of a module share."""
    asha, priya = _verified(full_name="Asha Rao"), _verified(full_name="Priya Nair")
    admin = _verified(full_name="Meera Iyer", role=Role.ADMIN, is_staff=True)
    environment = {
        **os.environ,
        "DATABASE_URL": shared_bank.app,
        "BANK_VAR": str(tmp_path_factory.mktemp("var")),
        "REDIS_URL": _own_cache(os.environ["REDIS_URL"]),
    }
    with served(environment) as address:
        yield Scene(
            address=address,
            asha=asha,
            mine=account(balance=500_000, owner=asha),
            savings=account(balance=100_000, owner=asha),
            friend=account(owner=priya),
            admin=admin,
        )


def _own_cache(url: str) -> str:
    """Return a database of the cache that no other bank of this run remembers people in."""
    number = 8 + int(worker_name().removeprefix("gw")) % 8 if worker_name() != "main" else 8
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))


@dataclass(frozen=True)
class Shell:
    """A shell with an environment of its own, in which nobody sits."""

    environment: Mapping[str, str]

    def __call__(self, *words: str, **environment: str) -> Result:
        """Give a command, and return what it wrote and ended with."""
        told = {**self.environment, **environment}
        return CliRunner().invoke(app, words, env=told, prog_name="bank")


@pytest.fixture
def empty_shell(scene: Scene, tmp_path: Path) -> Shell:
    """Give a shell in which nobody has logged in."""
    return Shell(
        {
            "BANK_URL": scene.address,
            "PYTHON_KEYRING_BACKEND": SILENT_KEYRING,
            "XDG_CONFIG_HOME": str(tmp_path),
        }
    )


@pytest.fixture
def shell(scene: Scene, empty_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Give a shell in which Asha has logged in."""
    log_in(scene.address, scene.asha, empty_shell, monkeypatch)
    return empty_shell


@pytest.fixture
def admin_shell(scene: Scene, empty_shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Give a shell in which an admin has logged in."""
    log_in(scene.address, scene.admin, empty_shell, monkeypatch)
    return empty_shell


def log_in(address: str, person: User, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Log in, as ``bank login`` does once the password is typed."""
    for name, value in shell.environment.items():
        monkeypatch.setenv(name, value)
    door = Door(Line(address), TokenStore(address), given=None)
    screen = Screen(Form.TABLE, is_quiet=True)
    questions = Questions(is_wanted=False)
    door.log_in(email=str(person.email), password=PASSWORD, questions=questions, screen=screen)
