"""`manage.py check_books` over the whole bank: its nodes, what is between them, the replica."""

import json
import re
from collections.abc import Mapping
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from accounts.models import Approval, District, LogIn, Session, StatusChange, User
from bankproject.runtime.postgres import BankUrls
from core import clock
from core.db.sql import queries
from notifications.mail import Mail, Words, queue_mail
from notifications.messages.models import Channel
from notifications.messages.queue import Outcome, claim_due, note_outcome
from tests.branches import DEL, MUM, Branches
from tests.factories import customer_account, inr, order, person
from tests.integration.payments.cards import issued
from tests.integration.replica.bank import NODES, customer
from tests.integration.replica.test_position import money_moving, pay
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches import books
from transactions.branches.books import BankReport, check_bank
from transactions.branches.clearing import clearing_account
from transactions.ledger.posting import Transfer, post

SQL: Final = Path(books.__file__).parent / "sql"
COMPARED: Final = {**queries(SQL / "books.sql"), **queries(SQL / "people_books.sql")}
# For the reasons that books.sql gives.
LEFT_OUT: Final[Mapping[str, set[str]]] = {
    "ledger.account": {"balance", "floor", "held", "spent", "spent_day", "last_tick"},
    "ledger.payee_limit": {"spent", "spent_day"},
    "ledger.pulse": {"node", "beat_at", "swept_at"},
}


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


@pytest.fixture
def asha(replicated: BankUrls) -> User:  # noqa: ARG001  # the bank has a replica
    """Return a person of whom each table with people has something."""
    asha = person()
    issued(asha, customer_account(asha))
    LogIn.objects.create(person=asha, device="Firefox", result="succeeded")
    Session.objects.create(
        person=asha, kind="browser", session_key="a", device="Firefox", expires_at=clock.now()
    )
    User.objects.filter(pk=asha.pk).update(email="new@example.org")
    StatusChange.objects.create(person=asha, status="suspended", reason="asked for it")
    Approval.objects.create(maker=asha, action="accounts.change_role", payload={}, reason="hired")
    measures = {f"municipalities_{size}": 1 for size in ("below_500", "below_2000", "below_10000")}
    District.objects.create(
        code=1,
        name="Pune",
        region="Maharashtra",
        **measures,
        municipalities_above_10000=1,
        inhabitants=1,
        cities=1,
        urban_share=1,
        average_salary=1,
        unemployment_1996=1,
        entrepreneurs_per_1000=1,
        crimes_1996=1,
    )
    words = Words(subject="", text="")
    queue_mail(Mail(to="a@b.c", kind="payee_added", words=words, person=asha.pk), now=clock.now())
    for message in claim_due(Channel.EMAIL, limit=9, now=clock.now()):
        note_outcome(message, Outcome(at=clock.now(), milliseconds=7, failure="", detail=""))
    return asha


def published() -> dict[str, set[str]]:
    """Return the columns that the head office publishes, by table."""
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT schemaname || '.' || tablename, attnames::text[] FROM pg_publication_tables"
            " WHERE pubname IN ('bank_ledger', 'bank_people')"
        )
        return {table: set(columns) for table, columns in cursor.fetchall()}


def words_of_comparison(table: str) -> set[str]:
    """Return the words of the query that compares a table, its comments left out."""
    texts = [re.sub("--.*", "", query) for query in COMPARED.values()]
    found = [text for text in texts if re.search(rf"FROM {re.escape(table)}\b", text)]
    assert len(found) <= 1
    return {word for text in found for word in re.findall(r"\w+", text)}


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


class TestComparison:
    def test_is_of_all_that_is_published(self, replicated: BankUrls) -> None:
        assert replicated
        missing = {
            table: columns - words_of_comparison(table) for table, columns in published().items()
        }
        assert {table: columns for table, columns in missing.items() if columns} == LEFT_OUT

    def test_forgives_what_differs_at_one_look_and_not_at_the_next(
        self, accounts: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert accounts
        looks = count()
        monkeypatch.setattr(
            books, "_differing", lambda *_asked: {("account", next(looks)): "changing"}
        )
        assert found(check_bank(now=clock.now())) == []

    def test_is_of_each_table_with_people(
        self, asha: User, replicated: BankUrls, server: TestServer
    ) -> None:
        assert found(check_bank(now=clock.now())) == []
        people = [table for table in published() if table.startswith("public.")]
        url = server.superuser_url(replicated.owner.rpartition("/")[2])
        with psycopg.connect(url) as copy:
            copy.execute("SET session_replication_role = replica")
            for table in people:
                assert copy.execute(f"DELETE FROM {table}".encode()).rowcount, table
        told = [f for f in found(check_bank(now=clock.now())) if "copy_has_the_same" in f[1]]
        wanted = {f"copy_has_the_same_{name}" for name in queries(SQL / "people_books.sql")}
        assert {check for _node, check, *_rest in told} == wanted
        card = ("replica", "copy_has_the_same_cards", None)
        assert (*card, f"default: 1 rows, the copy has 0, of person {asha.pk}") in told
