"""What the client refuses by itself, before any bank is asked."""

from pathlib import Path

import pytest

from client.failures import ExitCode
from tests.client.conftest import Shell, shell_at


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Give a shell of somebody with a token, far from any bank."""
    far = shell_at("http://127.0.0.1:1", tmp_path)
    return Shell({**far.environment, "BANK_TOKEN": "x"})


def test_who_is_unknown_is_told_to_log_in(shell: Shell) -> None:
    done = shell("accounts", "list", BANK_TOKEN="")
    assert done.exit_code == ExitCode.LOGGED_OUT
    assert "bank login" in done.stderr


def test_a_password_needs_a_terminal(shell: Shell) -> None:
    done = shell("login", "--email", "asha@example.org")
    assert done.exit_code == ExitCode.USAGE
    assert "terminal" in done.stderr


def test_started_bare_without_a_terminal_it_shows_its_help(shell: Shell) -> None:
    done = shell()
    assert done.exit_code == ExitCode.USAGE
    assert done.stdout == ""
    assert "bank accounts list" in done.stderr


def test_a_menu_needs_a_person(shell: Shell) -> None:
    done = shell("menu", BANK_TOKEN="")
    assert done.exit_code == ExitCode.USAGE


def test_an_address_before_the_command_counts_for_it(shell: Shell) -> None:
    done = shell("--url", "ftp://bank.example", "whoami")
    assert done.exit_code == ExitCode.USAGE
    assert "ftp://bank.example" in done.stderr


def test_json_and_lines_at_once_are_too_much(shell: Shell) -> None:
    assert shell("accounts", "list", "--json", "--plain").exit_code == ExitCode.USAGE


@pytest.mark.parametrize("number", ["../me", "1/2", "x?y", "%2e%2e", ".", "..", " ", ""])
def test_a_number_that_leads_elsewhere_is_not_asked_for(shell: Shell, number: str) -> None:
    assert shell("accounts", "show", number).exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    "url",
    [
        "http://bank.example",
        "http://localhost.example",
        "http://10.0.0.1",
        "http://a:b@localhost",
        "ftp://localhost",
        "localhost:8000",
        "",
    ],
)
def test_an_address_that_is_not_safe_gets_no_token(shell: Shell, url: str) -> None:
    assert shell("accounts", "list", "--url", url).exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from,to\n1,2\n", "amount is missing"),
        ("from,to,amount,colour\n1,2,3,red\n", "'colour' is unknown"),
        ("from,to,amount\n1,,3\n", "Line 2 is not right"),
        ("from,to,amount\n1,2,3,4\n", "Line 2 is not right"),
        ("from,to,amount,currency\n1,2,ten,INR\n", "'ten' is no amount"),
        ("from,to,amount,currency\n1,2,nan,INR\n", "'nan' is no amount"),
        ("from,to,amount\n", "0 transfers"),
        ("\xff", "is no CSV file in UTF-8"),
        ("", "amount is missing"),
    ],
)
def test_a_file_that_is_not_right_is_not_sent(
    shell: Shell, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "wages.csv"
    file.write_text(text, encoding="latin-1")
    done = shell("batch", "send", str(file), "--yes")
    assert done.exit_code == ExitCode.USAGE
    assert said in done.stderr


def test_a_file_of_too_many_is_not_sent(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "wages.csv"
    file.write_text("from,to,amount\n" + "1,2,3\n" * 10_001, encoding="utf-8")
    done = shell("batch", "send", str(file), "--yes")
    assert done.exit_code == ExitCode.USAGE
    assert "10001 transfers" in done.stderr


def test_a_file_can_be_tried_without_sending_it(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "wages.csv"
    file.write_text("from,to,amount,currency\n1,2,3.50,INR\n1,2,1,INR\n", encoding="utf-8")
    done = shell("batch", "send", str(file), "--dry-run")
    assert done.exit_code == 0
    assert "2 transfers, 4.50 INR in all; nothing was sent." in done.stderr
