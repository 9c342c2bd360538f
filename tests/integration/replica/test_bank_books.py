"""`manage.py check_books` over the whole bank: its nodes, what is between them, the replica."""

import json
from io import StringIO
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.management import call_command

from bankproject.runtime.postgres import BankUrls
from core import clock
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, order, person
from tests.integration.replica.bank import NODES, customer
from tests.integration.replica.test_position import money_moving, pay
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches import books
from transactions.branches.books import BankReport, check_bank
from transactions.branches.clearing import clearing_account
from transactions.ledger.posting import Transfer, post


@pytest.fixture
def accounts(replicated: BankUrls) -> list[int]:  # noqa: ARG001  # the bank has a replica
    person()
    accounts = [customer(node) for node in NODES]
    pay(accounts[1], accounts[2], 700)
    pay(accounts[2], accounts[0], 50)
    return accounts


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "PATIENCE_SECONDS", 3.0)


def found(report: BankReport) -> list[tuple[str, str, int | None, str]]:
    reports = [*report.nodes, *([report.replica] if report.replica else [])]
    own = [(one.node, f.check, f.account, f.detail) for one in reports for f in one.findings]
    return own + [("", f.check, f.account, f.detail) for f in report.between]


def at(url: str, statement: str, *parameters: Any) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode(), parameters)


class TestBank:
    def test_is_clean_while_money_moves(self, accounts: list[int]) -> None:
        with money_moving(accounts):
            for _ in range(3):
                assert found(check_bank(now=clock.now())) == []

    def test_of_the_command_is_shown_node_by_node(self, accounts: list[int]) -> None:
        assert accounts
        said = StringIO()
        call_command("check_books", stdout=said)
        answer = json.loads(said.getvalue())
        assert answer["clean"]
        assert [node["node"] for node in answer["nodes"]] == ["default", MUM, DEL]
        assert answer["replica"]["transfers"] == sum(n["transfers"] for n in answer["nodes"])


class TestFinding:
    def test_tells_of_a_row_that_the_copy_lacks(
        self, accounts: list[int], replicated: BankUrls, server: TestServer
    ) -> None:
        assert found(check_bank(now=clock.now())) == []
        url = server.superuser_url(replicated.owner.rpartition("/")[2])
        at(url, "DELETE FROM ledger.journal WHERE debit = %s", accounts[1])
        report = found(check_bank(now=clock.now()))
        assert ("replica", "copy_has_the_same_journal", accounts[1]) in [f[:3] for f in report]
        assert "MUM: 1 rows, the copy has 0" in [detail for *_where, detail in report]

    def test_tells_of_a_right_that_the_copy_gives_to_another(
        self, accounts: list[int], replicated: BankUrls, server: TestServer
    ) -> None:
        assert found(check_bank(now=clock.now())) == []
        url = server.superuser_url(replicated.owner.rpartition("/")[2])
        at(url, "UPDATE ledger.holder SET rights = 'authorised' WHERE account = %s", accounts[2])
        assert [f[:3] for f in found(check_bank(now=clock.now()))] == [
            ("replica", "copy_has_the_same_holders", accounts[2])
        ]

    def test_tells_of_two_nodes_that_do_not_agree(self, accounts: list[int]) -> None:
        owed = clearing_account(MUM, other=DEL, currency="INR")
        post(Transfer(accounts[1], owed, inr(30)), order=order(), using=MUM)
        between = check_bank(now=clock.now()).between
        assert [(f.check, f.detail) for f in between] == [
            ("clearing_pairs_match", "DEL and MUM: 30 INR between them")
        ]

    def test_tells_of_a_transfer_that_never_arrived(
        self, accounts: list[int], branches: Branches
    ) -> None:
        assert accounts
        lost = uuid4()
        at(
            branches.mumbai.owner,
            "INSERT INTO ledger.decision (id, attempt, state, destination, transfer_id) "
            "VALUES (%s, 1, 'committed', 'DEL', %s)",
            lost,
            uuid4(),
        )
        between = check_bank(now=clock.now()).between
        assert [(f.check, f.detail) for f in between] == [
            ("transfers_have_both_halves", f"{lost}, MUM to DEL: decided and not arrived")
        ]

    def test_tells_of_a_node_that_is_down(
        self, accounts: list[int], branches: Branches, server: TestServer
    ) -> None:
        assert accounts
        with node_down(server, branches.delhi):
            report = check_bank(now=clock.now())
        assert [(f[0], f[1]) for f in found(report)] == [
            ("DEL", "node_answers"),
            ("replica", "node_answers"),
            ("", "nodes_can_be_compared"),
            ("", "accounts_can_be_compared"),
            ("", "apps_can_be_compared"),
        ]
