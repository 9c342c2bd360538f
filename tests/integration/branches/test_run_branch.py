"""`manage.py run_branch`: what it refuses, and the accounts it opens to try a branch with."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import Account, Branch, User
from bankproject.runtime.postgres import BankUrls
from tests.branches import DEL, MUM
from transactions.branches.models import Node
from transactions.demo.preload import preload_branch
from transactions.ledger.reads import balances


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
            (["Delhi", "--host", "0.0.0.0"], "--host reaches 0.0.0.0 without TLS"),  # noqa: S104
            (["Delhi", "--host", "delhi.example"], "--host reaches delhi.example without TLS"),
            (["Delhi", "--code", "del"], "'del' is no code for a branch"),
            (["1st Street"], "'1ST' is no code for a branch"),
            (["Delhi", "--code", "../DEL"], "'../DEL' is no code for a branch"),
        ],
    )
    def test_refuses_in_one_line(
        self, fresh_bank: BankUrls, tmp_path: Path, options: list[str], line: str
    ) -> None:
        assert line in refusal(fresh_bank, tmp_path, *options, "--port", "5999")
        assert not (tmp_path / "data").exists()

    def test_refuses_a_taken_port(self, fresh_bank: BankUrls, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.2", 0)) as taken:
            port = str(taken.getsockname()[1])
            shown = refusal(fresh_bank, tmp_path, "Delhi", "--host", "127.0.0.2", "--port", port)
        assert f"port {port} is taken" in shown
        assert not Node.objects.exists()


def refusal(bank: BankUrls, folder: Path, *options: str) -> str:
    """Return the one line with which the command ends."""
    done = subprocess.run(
        [sys.executable, "manage.py", "run_branch", *options],
        env={
            **os.environ,
            "BANK_VAR": str(folder),
            "DATABASE_URL": bank.app,
            "OWNER_DATABASE_URL": bank.owner,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr
