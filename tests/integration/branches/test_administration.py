"""The admins' own pages over several nodes: overview, books, journal, nodes."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Approval, LogIn, Role, User, Viewing
from core import clock
from tests.branches import DEL, MUM, Branches
from tests.factories import customer_account, person
from tests.integration.branches.moves import held_by, pay
from tests.integration.branches.test_crossing import account_at
from tests.outages import node_down
from tests.servers import TestServer
from transactions.closing.models import BankDay
from transactions.figures import figures_of_nodes

OVERVIEW = "/admin/"
TRIAL_BALANCE = "/admin/trial-balance/"
RECONCILIATION = "/admin/reconciliation/"
JOURNAL = "/admin/journal/"
NODES = "/admin/nodes/"


def admin(*permissions: str) -> User:
    """Return an admin with these permissions."""
    one = person(role=Role.ADMIN, is_staff=True)
    one.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return one


def browser(who: User) -> Client:
    """Return a browser that somebody is logged in with."""
    client = Client()
    client.force_login(who)
    return client


def page(address: str, *, who: User | None = None, **asked: str) -> str:
    """Return the text of a page, its tags left out, as an admin sees it."""
    answer: Any = browser(who or admin()).get(address, asked)
    assert answer.status_code == 200
    return words(answer.content.decode())


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def moved(branches: Branches) -> Branches:
    """Give a bank where ₹5 went from Mumbai to Delhi."""
    payer = held_by(account_at(MUM, 1, balance=1_000))
    pay(payer, account_at(DEL, 2), 500)
    return branches


@pytest.mark.usefixtures("moved")
class TestTheBooks:
    def test_are_balanced_on_each_node_and_count_what_crossed_once(self) -> None:
        text = page(TRIAL_BALANCE)
        assert text.count("✓ balanced") == 3
        assert "not balanced" not in text
        today = clock.start_of(clock.bank_day(clock.now()))
        figures = figures_of_nodes(day=today, month=today)
        of_month = {one.node: sum(v.of_month for v in one.volumes or ()) for one in figures}
        assert of_month == {"default": 0, MUM: 2, DEL: 0}

    def test_agree_between_nodes_now_and_at_the_end_of_each_day(self) -> None:
        now = clock.now()
        position = {"customers": {"INR": 100_000}, "in_transit": {"INR": 0}}
        BankDay.objects.create(
            day=clock.bank_day(now), begun_at=now, closed_at=now, position=position
        )
        text = page(RECONCILIATION)
        assert text.count("debits equal credits") == 3
        assert "DEL ↔ MUM ₹0.00 ✓ nets to zero" in text
        assert "₹1,000.00" in text
        compared = browser(admin()).post(RECONCILIATION).content.decode()
        assert "Every transfer is at both ends" in compared

    def test_are_shown_without_a_node_that_is_down(
        self, branches: Branches, server: TestServer
    ) -> None:
        who = admin()
        with node_down(server, branches.delhi):
            assert "DEL does not answer" in page(TRIAL_BALANCE, who=who)
            text = page(RECONCILIATION, who=who)
            assert "DEL ✕ down" in text
            assert "↔" not in text
            overview = page(OVERVIEW, who=who)
            assert "DEL does not answer" in overview
            assert "2 / 3" in overview
            assert page(NODES, who=who).count("✓ up") == 2


@pytest.mark.usefixtures("moved")
def test_the_overview_shows_to_each_what_they_may_see() -> None:
    somebody, me = person(role=Role.ADMIN), admin("view_approval", "view_login")
    LogIn.objects.create(person=me, device="test", result="succeeded")
    for maker in (somebody, me):
        Approval.objects.create(
            maker=maker, action="accounts.change_role", payload={}, reason=f"by {maker.pk}"
        )
    text = page(OVERVIEW, who=me)
    assert f"by {somebody.pk}" in text
    assert f"by {me.pk}" not in text
    assert "1 of your own" in text
    assert "Log-ins today" in text
    others = page(OVERVIEW)
    assert "Booked today, INR" in others
    assert "Approvals" not in others
    assert "Log-ins" not in others


@pytest.mark.usefixtures("moved")
def test_the_journal_shows_postings_alone_and_tells_whose_they_are() -> None:
    asha = person()
    customer_account(asha, balance=700)
    client = browser(admin())
    text = page(JOURNAL)
    assert "Transfer" in text
    assert "Account opened" not in text
    assert Viewing.objects.filter(subject=asha, what="journal").exists()
    assert "Nothing was booked" in page(JOURNAL, first="2020-01-01", last="2020-01-02")
    assert client.get(JOURNAL, {"account": "7"}).status_code == 422


@pytest.mark.usefixtures("branches")
def test_the_nodes_are_shown_again_when_live() -> None:
    client = browser(admin())
    assert client.get(NODES, {"live": "1"}).headers["Refresh"] == "5"
    answer = client.get(NODES)
    assert "Refresh" not in answer.headers
    assert words(answer.content.decode()).count("✓ up") == 3
