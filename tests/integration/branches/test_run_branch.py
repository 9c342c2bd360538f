"""`manage.py run_branch`: what it refuses, and the accounts it opens to try a branch with."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.models import Account, Branch, User
from bankproject import env
from bankproject.runtime.ports import first_free
from bankproject.runtime.postgres import BankUrls
from tests.branches import DEL, MUM, Branches
from tests.functional.runtime.terminal import CTRL_C, Terminal
from tests.integration.replica.conftest import empty_replica, eventually, unsubscribe
from tests.servers import TestServer
from transactions.branches.models import Node
from transactions.demo.preload import preload_branch
from transactions.ledger.reads import balances

ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What a terminal of the tests is not told by itself.
GIVEN: Final = ("DJANGO_SETTINGS_MODULE", "REDIS_URL", "SECRET_KEY")


class TestPreload:
    @pytest.mark.usefixtures("branches")
    def test_opens_two_accounts_with_money_once(self) -> None:
        mumbai = Branch.objects.get(code=MUM)
        opened = preload_branch(mumbai, now=timezone.now())
        assert [account.name for account in opened] == ["1001", "1002"]
        numbers = [account.number for account in opened]
        assert preload_branch(mumbai, now=timezone.now()) == opened
        assert [one.balance for one in balances(numbers, using=MUM)] == [100_000, 100_000]
        assert not User.objects.get(email="1001.mum@demo.example").has_usable_password()

    @pytest.mark.usefixtures("branches")
    def test_opens_none_where_there_are_others(self) -> None:
        delhi = Branch.objects.get(code=DEL)
        own = {"product": "current", "currency": "INR", "opened_at": timezone.now()}
        Account.objects.create(number=202_000_000_017, branch=delhi, **own)
        assert preload_branch(delhi, now=timezone.now()) == []
        assert Account.objects.count() == 1


class TestRunBranch:
    @pytest.mark.parametrize(
        ("options", "line"),
        [
            (["--host", "0.0.0.0"], "--host reaches 0.0.0.0 without TLS"),  # noqa: S104
            (["--host", "delhi.example"], "--host reaches delhi.example without TLS"),
            (["--code", "del"], "'del' is no code for a branch"),
            (["--code", "../DEL"], "'../DEL' is no code for a branch"),
            (["--replica", "delhi.example"], "--replica must be postgresql://"),
            (["--replica", "postgresql://a:b@delhi.example/c"], "--replica reaches delhi.example"),
        ],
    )
    @pytest.mark.usefixtures("shared_bank")
    def test_refuses(self, folder: Path, settings: Settings, options: list[str], line: str) -> None:
        settings.REPLICATION_DATABASE = settings.OWNER_DATABASE
        with pytest.raises(CommandError, match=re.escape(line)):
            call_command("run_branch", "Delhi", "--port", "5999", *options)
        assert not folder.exists()

    @pytest.mark.usefixtures("shared_bank")
    def test_refuses_a_name_that_makes_no_code(self, folder: Path) -> None:
        with pytest.raises(CommandError, match="'1ST' is no code for a branch"):
            call_command("run_branch", "1st Street", "--port", "5999")
        assert not folder.exists()

    def test_refuses_the_address_of_a_branch_of_another_name(
        self, branches: Branches, folder: Path
    ) -> None:
        port = branches.mumbai.app.rpartition(":")[2].partition("/")[0]
        line = "branch MUM Mumbai has this address; give Pune another port"
        with pytest.raises(CommandError, match=re.escape(line)):
            call_command("run_branch", "Pune", "--port", port)
        assert not folder.exists()

    @pytest.mark.usefixtures("shared_bank")
    def test_refuses_replicas_if_nobody_may_copy(self, folder: Path) -> None:
        with pytest.raises(CommandError, match="--replica needs REPLICATION_DATABASE_URL"):
            call_command("run_branch", "Delhi", "--port", "5999", "--replica", "postgresql:///c")
        assert not folder.exists()

    def test_refuses_a_taken_port_in_one_line(self, fresh_bank: BankUrls, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.2", 0)) as taken:
            port = str(taken.getsockname()[1])
            shown = refusal(fresh_bank, tmp_path, "Delhi", "--host", "127.0.0.2", "--port", port)
        assert f"port {port} is taken" in shown
        assert not Node.objects.exists()

    def test_lets_replicas_copy_what_is_posted_at_it(
        self,
        fresh_bank: BankUrls,
        two_replicas: list[BankUrls],
        tmp_path: Path,
        server: TestServer,
    ) -> None:
        replicas = ["--replica", *(urls.readonly for urls in two_replicas)]
        with running(fresh_bank, tmp_path, "Delhi", "--preload", *replicas) as terminal:
            payer, payee = re.findall(r"100\d  (\d{12})", terminal.shown)
            try:
                assert eventually(lambda: copied(two_replicas, payer, payee) == [100_000] * 4)
                pay(Node.objects.get(branch__code=DEL).database_url, payer, payee)
                after = [75_000, 125_000] * 2
                assert eventually(lambda: copied(two_replicas, payer, payee) == after)
            finally:
                for urls in two_replicas:
                    unsubscribe(server.superuser_url(name_of(urls)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return where a branch that is run in this process would make its data; end as it began."""
    endings = {ending: signal.getsignal(ending) for ending in ENDINGS}
    monkeypatch.setattr(env, "VAR", tmp_path)
    yield tmp_path / "data"
    for ending, handler in endings.items():
        signal.signal(ending, handler)


@pytest.fixture
def two_replicas(fresh_bank: BankUrls, server: TestServer) -> Iterator[list[BankUrls]]:
    """Return two databases that may become replicas."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(empty_replica(server, f"{name_of(fresh_bank)}_copy{nth}"))
            for nth in (1, 2)
        ]


@contextmanager
def running(bank: BankUrls, folder: Path, *options: str) -> Iterator[Terminal]:
    """Run a branch in a terminal until the block ends, by Ctrl-C."""
    terminal = Terminal(
        [sys.executable, "manage.py", "run_branch", *options, "--port", str(first_free(25_500))],
        {
            **{name: os.environ[name] for name in GIVEN},
            **settings_of(bank, folder),
            "REPLICATION_DATABASE_URL": bank.replica,
        },
    )
    try:
        terminal.wait_for("Ctrl-C closes it")
        yield terminal
    finally:
        terminal.type(CTRL_C)
        assert terminal.wait() == 0, terminal.shown
        terminal.close()


def pay(node: str, payer: str, payee: str) -> None:
    """Send 250 rupees."""
    with psycopg.connect(node) as branch:
        branch.execute(
            "SELECT ledger.post_fully_v1("
            " 0, 'again', %s, %s, 25000, 'INR', 'transfer', 'bank', current_date)",
            [payer, payee],
        )


def copied(replicas: list[BankUrls], *numbers: str) -> list[int]:
    """Return the balances of Delhi's accounts as replicas know them, one after the other."""
    found = []
    for replica in replicas:
        with psycopg.connect(replica.readonly) as reader:
            found += reader.execute(
                "SELECT balance FROM ledger.account"
                " WHERE number = ANY(%s::bigint[]) AND node = 'DEL' ORDER BY number",
                [list(numbers)],
            ).fetchall()
    return [balance for (balance,) in found]


def refusal(bank: BankUrls, folder: Path, *options: str) -> str:
    """Return the one line with which the command ends."""
    done = subprocess.run(
        [sys.executable, "manage.py", "run_branch", *options],
        env={**os.environ, **settings_of(bank, folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def settings_of(bank: BankUrls, folder: Path) -> dict[str, str]:
    """Return what leads a command to a bank."""
    return {"BANK_VAR": str(folder), "DATABASE_URL": bank.app, "OWNER_DATABASE_URL": bank.owner}


def name_of(bank: BankUrls) -> str:
    """Return the name of a bank's database."""
    return bank.app.rpartition("/")[2]
