"""A bank that is served, people with accounts, and commands given to it."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import keyring
import pytest
from allauth.account.models import EmailAddress
from click.testing import Result
from keyring.backends import fail
from typer.testing import CliRunner

from accounts.models import Branch, Role, User
from bankproject.runtime.postgres import BankUrls
from client.door import Door
from client.line import Line
from client.main import app
from client.questions import Questions
from client.screen import Form, Screen
from client.tokens import TokenStore
from tests.factories import BRANCH, account, person
from tests.servers import worker_name
from tests.website import served
from transactions.ledger.reads import balances

PASSWORD = "correct horse battery staple"
SILENT_KEYRING = "keyring.backends.fail.Keyring"


@pytest.fixture(scope="session", autouse=True)
def _no_key_ring() -> None:
    """Let there be no key ring of the system's: the library would choose a test's own."""
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]  # the library is untyped


@dataclass(frozen=True)
class Scene:
    """Two customers and an admin, some of their accounts, and the bank's address."""

    address: str
    asha: User
    mine: int
    savings: int
    friend: int
    admin: User
    outbox: Path

    def mailed_code(self) -> str:
        """Return the one-time code of the last mail."""
        mails = sorted(self.outbox.glob("*.eml"), key=lambda mail: mail.stat().st_mtime_ns)
        found = re.search(r"code is (\d{6})", mails[-1].read_text(encoding="utf-8"))
        assert found
        return found[1]


def balance_of(number: int) -> int:
    """Return what is in an account, in minor units, as the ledger has it."""
    (found,) = balances([number])
    return found.balance


def verified(**fields: object) -> User:
    """Create a person who can log in."""
    user = person(**fields)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


@pytest.fixture(scope="module")
def scene(shared_bank: BankUrls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Give a served bank that the tests of a module share."""
    asha, priya = verified(full_name="Asha Rao"), verified(full_name="Priya Nair")
    admin = verified(full_name="Meera Iyer", role=Role.ADMIN, is_superuser=True)
    Branch.objects.get_or_create(code="HO", defaults={"number": BRANCH, "name": "Head office"})
    folder = tmp_path_factory.mktemp("var")
    environment = {
        **os.environ,
        "DATABASE_URL": shared_bank.app,
        "BANK_VAR": str(folder),
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
            outbox=folder / "outbox",
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

    @property
    def home(self) -> Path:
        """Where the person's settings are."""
        return Path(self.environment["XDG_CONFIG_HOME"])

    def tokens(self, address: str) -> TokenStore:
        """Return where this shell's person keeps tokens."""
        with pytest.MonkeyPatch.context() as patched:
            for name, value in self.environment.items():
                patched.setenv(name, value)
            return TokenStore(address)


def shell_at(address: str, home: Path) -> Shell:
    """Return the shell of a person with this home, in which nobody has logged in."""
    return Shell(
        {
            "BANK_URL": address,
            "PYTHON_KEYRING_BACKEND": SILENT_KEYRING,
            "XDG_CONFIG_HOME": str(home),
        }
    )


@pytest.fixture(scope="module")
def shell(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Give the shell in which Asha has logged in; no test logs her out there."""
    made = shell_at(scene.address, tmp_path_factory.mktemp("asha"))
    log_in(scene.address, scene.asha, made)
    return made


@pytest.fixture(scope="module")
def admin_shell(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Give the shell in which an admin has logged in."""
    made = shell_at(scene.address, tmp_path_factory.mktemp("admin"))
    log_in(scene.address, scene.admin, made)
    return made


@pytest.fixture
def own_shell(scene: Scene, tmp_path: Path) -> Shell:
    """Give a shell of this test's own, in which nobody has logged in."""
    return shell_at(scene.address, tmp_path)


def log_in(address: str, person: User, shell: Shell) -> None:
    """Log in, as ``bank login`` does once the password is typed."""
    door = Door(Line(address), shell.tokens(address), given=None)
    screen = Screen(Form.TABLE, is_quiet=True)
    questions = Questions(is_wanted=False)
    door.log_in(email=str(person.email), password=PASSWORD, questions=questions, screen=screen)
