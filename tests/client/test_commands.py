"""Commands in scripts: what they write, what they end with, and that nothing happens twice."""

import json
import re
import socket
from pathlib import Path

import pytest
from click.testing import Result

from client import bank as client_bank
from client.failures import ExitCode
from client.tokens import Tokens, TokenStore
from tests.client.conftest import Scene, Shell
from tests.client.lossy import lossy_way
from transactions.ledger.reads import balances


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(client_bank, "PAUSES", (0.0, 0.0))


def balance_of(number: int) -> int:
    """Return what is in an account, in minor units, as the ledger has it."""
    (found,) = balances([number])
    return found.balance


class TestData:
    def test_are_on_the_standard_output_and_the_rest_is_beside_it(
        self, scene: Scene, shell: Shell
    ) -> None:
        done = shell("accounts", "list", "--json")
        assert done.exit_code == 0
        numbers = {one["number"] for one in json.loads(done.stdout)}
        assert numbers == {str(scene.mine), str(scene.savings)}
        assert done.stderr == ""

    def test_of_one_thing_are_lines_with_tabs(self, scene: Scene, shell: Shell) -> None:
        done = shell("accounts", "show", str(scene.savings), "--plain")
        told = dict(line.split("\t") for line in done.stdout.splitlines())
        assert told["Number"] == str(scene.savings)
        assert told["Balance"] == "1000.00"

    def test_in_tables_are_not_cut_where_no_terminal_is(self, scene: Scene, shell: Shell) -> None:
        done = shell("accounts", "statement", str(scene.savings), "--limit", "1")
        heading, line = done.stdout.splitlines()
        assert heading.split()[:2] == ["Booked", "Amount"]
        assert "1000.00" in line
        assert "\x1b" not in done.stdout


class TestTransfer:
    def test_is_made_with_consent_given_before(self, scene: Scene, shell: Shell) -> None:
        before = balance_of(scene.friend)
        to = ("--to", str(scene.friend), "--amount", "12.50", "--memo", "tea")
        done = shell("transfer", "create", "--from", str(scene.mine), *to, "--yes", "--json")
        assert done.exit_code == 0, done.output
        sent = json.loads(done.stdout)
        assert sent["amount"] == "12.50"
        assert balance_of(scene.friend) == before + 1250
        shown = shell("transfer", "show", sent["id"], "--plain").stdout
        assert "Memo\ttea" in shown

    def test_without_consent_is_not_made(self, scene: Scene, shell: Shell) -> None:
        before = balance_of(scene.mine)
        to = ("--to", str(scene.friend), "--amount", "12.50")
        done = shell("transfer", "create", "--from", str(scene.mine), *to)
        assert done.exit_code == ExitCode.UNCONFIRMED
        assert "--yes" in done.stderr
        assert done.stdout == ""
        assert balance_of(scene.mine) == before

    def test_that_is_refused_ends_with_the_reason(self, scene: Scene, shell: Shell) -> None:
        to = ("--to", str(scene.friend), "--amount", "99999")
        done = shell("transfer", "create", "--from", str(scene.mine), *to, "--yes", "--json")
        assert done.exit_code == ExitCode.REFUSED
        assert json.loads(done.stderr)["code"] == "insufficient_funds"

    def test_of_nothing_names_what_is_missing(self, scene: Scene, shell: Shell) -> None:
        done = shell("transfer", "create", "--from", str(scene.mine), "--to", str(scene.friend))
        assert done.exit_code == ExitCode.USAGE
        assert "--amount is missing" in done.stderr


class TestLostAnswer:
    def test_is_asked_for_again_under_the_same_key(self, scene: Scene, shell: Shell) -> None:
        before = balance_of(scene.friend)
        with lossy_way(scene.address) as way:
            way.losses = 1
            done = send(shell, scene, by=way.address)
            first, second = way.keys_of("/api/v1/transfers")
        assert done.exit_code == 0, done.output
        assert first == second
        assert "Trying again" in done.stderr
        assert balance_of(scene.friend) == before + 500

    def test_for_good_says_how_to_find_out(self, scene: Scene, shell: Shell) -> None:
        before = balance_of(scene.friend)
        with lossy_way(scene.address) as way:
            way.losses = 3
            done = send(shell, scene, by=way.address)
        assert done.exit_code == ExitCode.UNKNOWN
        (key,) = re.findall(r"--key (\S+):", done.stderr)
        assert send(shell, scene, "--key", key, by=scene.address).exit_code == 0
        assert balance_of(scene.friend) == before + 500

    def test_of_a_bank_that_is_not_there_means_nothing_was_done(
        self, scene: Scene, shell: Shell
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as door:
            nowhere = f"http://127.0.0.1:{door.getsockname()[1]}"
        done = send(shell, scene, by=nowhere)
        assert done.exit_code == ExitCode.UNREACHABLE
        assert "Nobody answers" in done.stderr


def send(shell: Shell, scene: Scene, *more: str, by: str) -> Result:
    """Send five rupees to a friend, by another address of the bank."""
    kept = TokenStore(scene.address).load()
    assert kept is not None
    order = ("--from", str(scene.mine), "--to", str(scene.friend), "--amount", "5", "--yes")
    return shell("transfer", "create", *order, *more, "--url", by, BANK_TOKEN=kept.access)


class TestPerson:
    def test_unknown_is_told_to_log_in(self, empty_shell: Shell) -> None:
        done = empty_shell("accounts", "list")
        assert done.exit_code == ExitCode.LOGGED_OUT
        assert "bank login" in done.stderr

    def test_by_a_password_needs_a_terminal(self, scene: Scene, empty_shell: Shell) -> None:
        done = empty_shell("login", "--email", str(scene.asha.email))
        assert done.exit_code == ExitCode.USAGE
        assert "terminal" in done.stderr

    def test_with_a_token_of_the_environment_leaves_no_trace(
        self, scene: Scene, shell: Shell, tmp_path: Path
    ) -> None:
        kept = TokenStore(scene.address).load()
        assert kept is not None
        elsewhere = tmp_path / "elsewhere"
        told = {"BANK_TOKEN": kept.access, "XDG_CONFIG_HOME": str(elsewhere)}
        assert shell("accounts", "list", **told).exit_code == 0
        assert shell("accounts", "list", **{**told, "BANK_TOKEN": "x"}).exit_code == 3
        assert not elsewhere.exists()

    def test_keeps_tokens_where_nobody_else_reads(self, shell: Shell, tmp_path: Path) -> None:
        folder = tmp_path / "bank"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
        (folder / "tokens.json").chmod(0o644)
        shell("accounts", "list")
        assert (folder / "tokens.json").stat().st_mode & 0o777 == 0o600

    def test_whose_token_has_run_out_gets_another_unseen(self, scene: Scene, shell: Shell) -> None:
        store = TokenStore(scene.address)
        old = store.load()
        assert old is not None
        store.save(Tokens(access=old.access[:-4] + "AAAA", refresh=old.refresh))
        done = shell("accounts", "list", "--json")
        assert (done.exit_code, done.stderr) == (0, "")
        new = store.load()
        assert new is not None
        assert new.refresh != old.refresh

    def test_who_logged_out_is_out_everywhere(self, scene: Scene, shell: Shell) -> None:
        kept = TokenStore(scene.address).load()
        assert kept is not None
        assert shell("logout").exit_code == 0
        assert shell("accounts", "list").exit_code == ExitCode.LOGGED_OUT
        done = shell("accounts", "list", BANK_TOKEN=kept.access)
        assert done.exit_code == ExitCode.LOGGED_OUT


class TestAccount:
    def test_of_another_person_does_not_exist(self, scene: Scene, shell: Shell) -> None:
        done = shell("accounts", "show", str(scene.friend))
        assert done.exit_code == ExitCode.NOT_FOUND

    @pytest.mark.parametrize("number", ["../me", "1/2", "x?y", ".", " "])
    def test_that_leads_elsewhere_is_not_asked_for(self, shell: Shell, number: str) -> None:
        assert shell("accounts", "show", number).exit_code == ExitCode.USAGE


class TestAddress:
    @pytest.mark.parametrize(
        "url", ["http://bank.example", "ftp://localhost", "localhost:8000", "http://a:b@localhost"]
    )
    def test_that_is_not_safe_gets_no_token(self, shell: Shell, url: str) -> None:
        assert shell("accounts", "list", "--url", url).exit_code == ExitCode.USAGE

    def test_of_something_else_is_said(self, scene: Scene, shell: Shell) -> None:
        done = shell("accounts", "list", "--url", f"{scene.address}/static", BANK_TOKEN="x")
        assert done.exit_code == ExitCode.FAILED
        assert "not as a bank would" in done.stderr
