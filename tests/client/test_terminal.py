"""The client in scripts and at a terminal, against one bank that is served.

What it writes, what it ends with, and that nothing happens twice.
"""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from click.testing import Result

from accounts.models import Card
from client import bank as client_bank
from client.bank import KEY
from client.failures import ExitCode
from client.line import ROOT, Answer, Line, Request
from client.tokens import Tokens
from core import clock
from loans.applying import save_draft, submit
from loans.opening import accept_offer
from tests.client.conftest import PASSWORD, Scene, Shell, balance_of, log_in, shell_at, verified
from tests.client.lossy import lossy_way
from tests.client.sitting import sitting
from tests.factories import customer_account, inr
from tests.integration.loans import bank as lending
from tests.openapi import operations


@pytest.fixture(autouse=True)
def keys_are_as_the_bank_takes_them(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hold that a change has an idempotency key where the bank takes one, and nowhere else."""
    wrong: list[str] = []
    send_once = Line.send

    def looked_at(line: Line, request: Request) -> Answer:
        if request.tells and (KEY in request.headers) != _is_keyed(request):
            wrong.append(f"{request.method} {request.path}")
        return send_once(line, request)

    monkeypatch.setattr(Line, "send", looked_at)
    yield
    assert wrong == []


def _is_keyed(request: Request) -> bool:
    """Tell whether the OpenAPI has a key for what is asked."""
    (found,) = {
        one.is_keyed
        for one in operations()
        if one.method == request.method.lower()
        and re.fullmatch(re.sub(r"{\w+}", "[^/]+", one.address), ROOT + request.path)
    }
    return found


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(client_bank, "PAUSES", (0.0, 0.0))


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
    kept = shell.tokens(scene.address).load()
    assert kept is not None
    order = ("--from", str(scene.mine), "--to", str(scene.friend), "--amount", "5", "--yes")
    return shell("transfer", "create", *order, *more, "--url", by, BANK_TOKEN=kept.access)


class TestPerson:
    def test_with_a_token_of_the_environment_leaves_no_trace(
        self, scene: Scene, shell: Shell, tmp_path: Path
    ) -> None:
        kept = shell.tokens(scene.address).load()
        assert kept is not None
        elsewhere = tmp_path / "elsewhere"
        told = {"BANK_TOKEN": kept.access, "XDG_CONFIG_HOME": str(elsewhere)}
        assert shell("accounts", "list", **told).exit_code == 0
        assert shell("accounts", "list", **{**told, "BANK_TOKEN": "x"}).exit_code == 3
        assert not elsewhere.exists()

    def test_keeps_tokens_where_nobody_else_reads(self, shell: Shell) -> None:
        folder = shell.home / "bank"
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
        (folder / "tokens.json").chmod(0o644)
        shell("accounts", "list")
        assert (folder / "tokens.json").stat().st_mode & 0o777 == 0o600

    def test_whose_token_has_run_out_gets_another_unseen(self, scene: Scene, shell: Shell) -> None:
        store = shell.tokens(scene.address)
        old = store.load()
        assert old is not None
        store.save(Tokens(access=old.access[:-4] + "AAAA", refresh=old.refresh))
        done = shell("accounts", "list", "--json")
        assert (done.exit_code, done.stderr) == (0, "")
        new = store.load()
        assert new is not None
        assert new.refresh != old.refresh

    def test_who_logged_out_is_out_everywhere(self, scene: Scene, own_shell: Shell) -> None:
        log_in(scene.address, scene.asha, own_shell)
        kept = own_shell.tokens(scene.address).load()
        assert kept is not None
        assert own_shell("logout").exit_code == 0
        assert own_shell("accounts", "list").exit_code == ExitCode.LOGGED_OUT
        done = own_shell("accounts", "list", BANK_TOKEN=kept.access)
        assert done.exit_code == ExitCode.LOGGED_OUT


class TestAccount:
    def test_of_another_person_does_not_exist(self, scene: Scene, shell: Shell) -> None:
        done = shell("accounts", "show", str(scene.friend))
        assert done.exit_code == ExitCode.NOT_FOUND


class TestAddress:
    def test_of_something_else_is_said(self, scene: Scene, shell: Shell) -> None:
        done = shell("accounts", "list", "--url", f"{scene.address}/static", BANK_TOKEN="x")
        assert done.exit_code == ExitCode.FAILED
        assert "not as a bank would" in done.stderr


class TestCode:
    """One-time codes: asked for at a terminal, and only there."""

    def test_of_a_mail_lets_a_payee_in(self, scene: Scene, shell: Shell) -> None:
        add = ("payees", "add", str(scene.friend), "--nickname", "Priya")
        done = shell(*add)
        assert done.exit_code == ExitCode.CODE_NEEDED
        with sitting(*add, url=scene.address, home=shell.home) as desk:
            desk.answers("e-mail", "000000")
            desk.answers("This code is not right.", scene.mailed_code())
            desk.sees("Priya N.")
            shown = desk.ends()
        assert scene.mailed_code() not in shown
        (payee,) = json.loads(shell("payees", "list", "--json").stdout)
        assert shell("payees", "remove", payee["id"], "--yes").exit_code == 0
        assert shell("payees", "list", "--json").stdout == "[]\n"

    def test_lets_a_key_be_made_that_is_shown_once(self, scene: Scene, shell: Shell) -> None:
        make = ("keys", "create", "--name", "books", "--scope", "accounts:read", "--plain")
        with sitting(*make, url=scene.address, home=shell.home) as desk:
            desk.sees("e-mail")
            desk.answers(":", scene.mailed_code())
            key = desk.reads(r"Key\t(bank_\S+)")
            desk.ends()
        assert shell("accounts", "list", BANK_TOKEN=key).exit_code == 0
        done = shell("cash", "deposit", "1", "--account", str(scene.mine), "-y", BANK_TOKEN=key)
        assert done.exit_code == ExitCode.NOT_ALLOWED
        (known,) = json.loads(shell("keys", "list", "--json").stdout)
        assert "key" not in known
        assert shell("keys", "revoke", known["id"], "--yes").exit_code == 0

    def test_is_asked_for_at_the_log_in_of_who_wants_it(self, scene: Scene, tmp_path: Path) -> None:
        ravi = verified(full_name="Ravi Nair")
        TOTP.activate(ravi, generate_totp_secret())
        code = RecoveryCodes.activate(ravi).get_unused_codes()[0]
        with sitting("login", url=scene.address, home=tmp_path) as desk:
            desk.answers("E-mail", str(ravi.email))
            desk.answers("Password", PASSWORD)
            desk.answers("One-time code", "000000")
            desk.answers("This code is not right.", code)
            desk.sees(f"Logged in as {ravi.email}")
            assert code not in desk.ends()


class TestBatch:
    def test_shows_what_became_of_each(self, scene: Scene, shell: Shell, tmp_path: Path) -> None:
        before = balance_of(scene.friend)
        file = tmp_path / "wages.csv"
        file.write_text(
            "from,to,amount,memo\n"
            f"{scene.mine},{scene.friend},10,first\n"
            f"{scene.mine},{scene.friend},90000,too much\n"
            f"{scene.mine},{scene.friend},1.50,third\n",
            encoding="utf-8",
        )
        done = shell("batch", "send", str(file), "--yes", "--plain", "--key", "wages-1")
        assert done.exit_code == ExitCode.PARTLY
        results = [line.split("\t")[4] for line in done.stdout.splitlines()]
        assert results == ["posted", "refused", "posted"]
        again = shell("batch", "send", str(file), "--yes", "--plain", "--key", "wages-1")
        assert again.stdout == done.stdout
        assert balance_of(scene.friend) == before + 1150


class TestHold:
    def test_is_placed_captured_and_released(self, scene: Scene, shell: Shell) -> None:
        before = balance_of(scene.friend)
        place = ("--from", str(scene.mine), "--to", str(scene.friend), "--amount", "30")
        first, second = (
            json.loads(shell("holds", "place", *place, "--yes", "--json").stdout)["id"]
            for _ in range(2)
        )
        assert shell("holds", "capture", first, "--amount", "20", "--yes").exit_code == 0
        assert shell("holds", "release", second, "--yes").exit_code == 0
        assert balance_of(scene.friend) == before + 2000
        states = {
            one["id"]: one["state"] for one in json.loads(shell("holds", "list", "--json").stdout)
        }
        assert (states[first], states[second]) == ("captured", "released")


@dataclass(frozen=True)
class Borrower:
    """A customer with an account, a card and a loan, and the shell in which she has logged in."""

    shell: Shell
    account: int
    card: str
    loan: str


@pytest.fixture(scope="module")
def tara(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Borrower:
    """Give a customer who owes ₹1,200 without interest and may pay ₹500 by card."""
    tara = verified(full_name="Tara Sen")
    mine = customer_account(tara, balance=5_000_00)
    card = Card.objects.create(
        id=uuid4(),
        person=tara,
        account_id=mine,
        kind="debit",
        tier="classic",
        state="active",
        last_four="7898",
        expires_on=date(2090, 3, 31),
        payment_limit=500_00,
        daily_limit=500_00,
        monthly_limit=500_00,
        issued_at=clock.now(),
    )
    lending.terms(rate_ppm=0, opening_fee_ppm=0, least_amount=1_00)
    now = clock.now()
    wish = lending.wish(mine, amount=inr(1_200_00))
    sent = submit(tara.pk, application=save_draft(tara.pk, wish, now=now).pk, now=now)
    loan = accept_offer(tara.pk, application=lending.offered(sent).pk, now=now)
    shell = shell_at(scene.address, tmp_path_factory.mktemp("tara"))
    log_in(scene.address, tara, shell)
    return Borrower(shell, mine, str(card.pk), str(loan.pk))


class TestCards:
    def test_are_listed_frozen_limited_and_thawed_with_a_code(
        self, scene: Scene, tara: Borrower
    ) -> None:
        shell, card = tara.shell, tara.card
        (listed,) = json.loads(shell("cards", "list", "--json").stdout)
        assert (listed["id"], listed["state"]) == (card, "active")
        assert "State\tfrozen" in shell("cards", "freeze", card, "-y", "--plain").stdout
        lowered = shell("cards", "limits", card, "--daily", "0", "-y", "--plain")
        assert "A day\t0.00" in lowered.stdout
        assert shell("cards", "limits", card, "-y").exit_code == ExitCode.USAGE
        assert shell("cards", "payments", card, "--json").stdout == "[]\n"
        thaw = ("cards", "unfreeze", card, "--yes", "--plain")
        assert shell(*thaw).exit_code == ExitCode.CODE_NEEDED
        with sitting(*thaw, url=scene.address, home=shell.home) as desk:
            desk.sees("e-mail")
            desk.answers(":", scene.mailed_code())
            desk.sees("active")
            desk.ends()

    def test_are_asked_for_and_decided_by_the_bank(self, tara: Borrower) -> None:
        words = ("--account", str(tara.account), "--reason", "shopping", "--yes", "--plain")
        assert "State\twaiting" in tara.shell("cards", "request", *words).stdout


class TestLoans:
    def test_are_applied_for_and_decided_by_the_bank(self, scene: Scene, tara: Borrower) -> None:
        shell = tara.shell
        words = ("--amount", "6000", "--months", "12", "--purpose", "a roof", "--income", "900")
        ask = ("loans", "apply", *words, "--account", str(tara.account))
        assert shell(*ask).exit_code == ExitCode.UNCONFIRMED
        assert shell("loans", "applications", "--json").stdout == "[]\n"
        with sitting(*ask, url=scene.address, home=shell.home) as desk:
            desk.sees("Instalment")
            desk.answers("Apply for 6000 INR over 12 months?", "y")
            desk.sees("submitted")
            desk.ends()
        (listed,) = json.loads(shell("loans", "applications", "--json").stdout)
        assert (listed["amount"], listed["purpose"]) == ("6000.00", "a roof")
        again = shell(*ask, "--yes", "--json")
        assert again.exit_code == ExitCode.REFUSED
        assert json.loads(again.stderr)["code"] == "loan_application_under_way"

    def test_are_quoted_listed_and_paid_for(self, tara: Borrower) -> None:
        shell, loan = tara.shell, tara.loan
        asked = ("loans", "quote", "--amount", "1200", "--months", "12", "--json")
        assert json.loads(shell(*asked).stdout)["total_interest"] == "0.00"
        (listed,) = json.loads(shell("loans", "list", "--json").stdout)
        assert (listed["number"], listed["owed"]) == (loan, "1200.00")
        assert shell("loans", "schedule", loan, "--plain").stdout.count("coming") == 12
        pay = ("loans", "pay", loan, "--from", str(tara.account), "--yes", "--json")
        assert json.loads(shell(*pay, "--amount", "200").stdout)["principal"] == "200.00"
        assert json.loads(shell("loans", "payoff", loan, "--json").stdout)["amount"] == "1000.00"
        assert json.loads(shell(*pay).stdout)["amount"] == "1000.00"
        assert shell(*pay).exit_code == ExitCode.REFUSED


class TestAdmin:
    def test_suspends_a_person_whose_tokens_end(
        self, scene: Scene, admin_shell: Shell, own_shell: Shell
    ) -> None:
        lost = verified(full_name="Lost Card")
        log_in(scene.address, lost, own_shell)
        assert own_shell("whoami").exit_code == 0
        suspend = ("users", "suspend", str(lost.number), "--reason", "card stolen")
        assert admin_shell(*suspend).exit_code == ExitCode.UNCONFIRMED
        assert admin_shell(*suspend, "--confirm", "1").exit_code == ExitCode.UNCONFIRMED
        assert admin_shell(*suspend, "--confirm", str(lost.number)).exit_code == 0
        assert own_shell("whoami").exit_code == ExitCode.LOGGED_OUT

    def test_lists_people_months_and_branches(self, scene: Scene, admin_shell: Shell) -> None:
        found = json.loads(admin_shell("customers", "list", "--text", "Priya", "--json").stdout)
        assert [one["full_name"] for one in found] == ["Priya Nair"]
        assert admin_shell("logins", "stats", "--plain").stdout.split()[1] != "0"
        assert "Head office" in admin_shell("branches", "list").stdout
        found = json.loads(admin_shell("users", "list", "--role", "superadmin", "--json").stdout)
        assert [one["full_name"] for one in found] == [scene.admin.full_name]

    def test_registers_a_customer_once_though_the_answer_is_lost(
        self, scene: Scene, admin_shell: Shell
    ) -> None:
        kept = admin_shell.tokens(scene.address).load()
        assert kept is not None
        email = f"{uuid4().hex}@example.org"
        add = ("users", "add", "--email", email, "--name", "Ira Das", "--branch", "HO", "--yes")
        with lossy_way(scene.address) as way:
            way.losses = 1
            done = admin_shell(*add, "--url", way.address, BANK_TOKEN=kept.access)
            assert way.keys_of("/api/v1/admin/customers") == [None]
        assert done.exit_code == ExitCode.UNKNOWN
        assert f"bank customers list --text {email}" in done.stderr
        (found,) = json.loads(admin_shell("customers", "list", "--text", email, "--json").stdout)
        assert found["full_name"] == "Ira Das"

    def test_opens_closes_and_asks_for_a_freeze(self, scene: Scene, admin_shell: Shell) -> None:
        for_whom = ("--customer", str(scene.asha.number), "--branch", "HO")
        done = admin_shell("accounts", "open", *for_whom, "--reason", "asked", "--yes", "--json")
        number = json.loads(done.stdout)["number"]
        done = admin_shell("accounts", "freeze", number, "--reason", "lost", "--yes", "--json")
        assert json.loads(done.stdout)["state"] == "waiting"
        close = ("accounts", "close", number, "--reason", "a mistake")
        assert admin_shell(*close, "--yes").exit_code == ExitCode.UNCONFIRMED
        done = admin_shell(*close, "--confirm", number, "--json")
        assert json.loads(done.stdout)["status"] == "closed"

    def test_is_not_what_customers_are(self, shell: Shell) -> None:
        assert shell("customers", "list").exit_code == ExitCode.NOT_ALLOWED
