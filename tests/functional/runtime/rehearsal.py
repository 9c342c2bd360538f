"""The guide "A bank on two machines", followed word for word on two addresses of this one."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from bankproject.runtime.ports import first_free
from tests.functional.runtime.terminal import CTRL_C, PROJECT, Bank, Terminal
from transactions.demo.loading import PASSWORD

GUIDE = PROJECT / "docs" / "howto" / "two-machines.md"
JOINING_SECONDS = 60
PAYER, PAYEE = "1001.bom@demo.example", "1001.ndl@demo.example"


def commands() -> list[str]:
    """Return what the guide says to type, in its order."""
    blocks = re.findall(r"```console\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


class Rehearsal:
    """The guide's commands, with a bank, a folder for Delhi and ports of the test's own."""

    def __init__(self, bank: Bank, delhi: Path) -> None:
        """Take ``bank`` for the first machine and the folder ``delhi`` for the second."""
        self.bank = bank
        first = first_free(bank.port + 1_500)
        self._changes = {
            "var-delhi": str(delhi),
            "var/run": str(bank.folder / "run"),
            "8000": str(bank.port),
            "5501": str(first),
            "5502": str(first_free(first + 1, host="127.0.0.2")),
        }
        self._left = commands()

    def next(self, program: str) -> tuple[str, ...]:
        """Return the guide's next command, which must be of ``program``."""
        line = self._left.pop(0)
        assert program in line
        for old, new in self._changes.items():
            line = line.replace(old, new)
        return ("sh", "-c", f"exec env {line}")

    def do(self, program: str) -> str:
        """Carry out the next command and return what it shows."""
        done = subprocess.run(
            self.next(program),
            cwd=PROJECT,
            env=environment(self.bank.folder),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def branch(self) -> Iterator[tuple[Terminal, int]]:
        """Run the next command in a terminal; yield it and the number of its account 1001."""
        terminal = Terminal(self.next("run_branch"), {"BANK_VAR": str(self.bank.folder)})
        try:
            terminal.wait_for("Ctrl-C closes it", JOINING_SECONDS)
            found = re.search(r"1001  (\d{12})", terminal.shown)
            assert found, terminal.shown
            yield terminal, int(found[1])
        finally:
            terminal.type(CTRL_C)
            status = terminal.wait()
            assert status == 0, terminal.shown
            assert "is closed" in terminal.shown

    def pay(self, payer: int, payee: int) -> None:
        """Send 500 rupees from account to account of the two branches, by the API."""
        sent = ask(
            self.bank,
            "/api/v1/transfers",
            {
                "debit_account": str(payer),
                "credit_account": str(payee),
                "amount": "500.00",
                "currency": "INR",
            },
            **{"Idempotency-Key": "two-machines"},
            **log_in(self.bank, PAYER),
        )
        assert sent["amount"] == "500.00"
        assert balance(self.bank, payer, PAYER) == "500.00"
        assert balance(self.bank, payee, PAYEE) == "1500.00"

    @property
    def is_done(self) -> bool:
        """Tell whether all of the guide was followed."""
        return not self._left


def environment(folder: Path) -> Mapping[str, str]:
    """Return the environment of a second terminal on the first machine."""
    ours = ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "BANK_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "bankproject.settings.dev"}


def ask(bank: Bank, path: str, body: Any = None, **headers: str) -> Any:
    """Ask the bank over HTTP and return its answer."""
    request = Request(  # of this machine
        f"http://localhost:{bank.port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers},
    )
    try:
        with urlopen(request, timeout=30) as answer:  # noqa: S310  # of this machine
            return json.load(answer)
    except HTTPError as refusal:
        pytest.fail(f"{path}: {refusal.read().decode()}")


def log_in(bank: Bank, who: str) -> dict[str, str]:
    """Return the header of somebody who has logged in."""
    door = ask(bank, "/auth/app/v1/auth/login", {"email": who, "password": PASSWORD})
    return {"Authorization": f"Bearer {door['meta']['access_token']}"}


def balance(bank: Bank, number: int, who: str) -> str:
    """Return the balance of one's account."""
    return str(ask(bank, f"/api/v1/accounts/{number}", **log_in(bank, who))["balance"])
