"""Who reads the replica, and that nobody sees money older than their own last word."""

import json
import threading
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client

from bankproject.runtime.postgres import BankUrls
from core.db import reading
from core.read_routing import COOKIE, HEADER
from tests.branches import MUM, Branches
from tests.factories import person
from tests.integration.replica.bank import NODES, customer, stalled
from tests.integration.replica.conftest import eventually
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches import freshness, replica


class Person:
    """A customer with a browser, and two accounts at Mumbai."""

    def __init__(self) -> None:
        self.user = person()
        self.mine = customer(MUM, user=self.user.pk)
        self.other = customer(MUM, serial=2, user=self.user.pk)
        self.browser = self.another_device()

    def another_device(self) -> Client:
        client = Client()
        client.force_login(self.user)
        return client

    def pay(self) -> Any:
        """Pay 1 rupee from one account to the other."""
        body = {
            "debit_account": str(self.mine),
            "credit_account": str(self.other),
            "amount": "1",
            "currency": "INR",
        }
        answer = self.browser.post(
            "/api/v1/transfers",
            json.dumps(body),
            content_type="application/json",
            headers={"Idempotency-Key": str(uuid4())},
        )
        assert answer.status_code == 201, answer.content
        return answer

    def balance(self, client: Client, **headers: str) -> str:
        answer = client.get(f"/api/v1/accounts/{self.mine}", headers=headers)
        return str(answer.json().get("balance"))


@pytest.fixture
def asha(replicated: BankUrls) -> Person:  # noqa: ARG001  # a replica to read from
    """Return a customer whose pages come from the replica."""
    asha = Person()
    assert eventually(lambda: reads_replica(asha.browser))
    assert eventually(lambda: asha.balance(asha.another_device()) == "100.00")
    return asha


@pytest.fixture
def superuser_url(replicated: BankUrls, server: TestServer) -> str:
    return server.superuser_url(replicated.owner.rpartition("/")[2])


def beat() -> None:
    for node in NODES:
        with connections[node].cursor() as cursor:
            cursor.execute("SELECT ledger.beat_v1(%s)", [node])


def reads_replica(client: Client) -> bool:
    beat()
    return b"As of" in client.get("/").content


class TestReading:
    def test_goes_on_without_the_branch_while_the_replica_has_its_word(
        self, asha: Person, branches: Branches, server: TestServer
    ) -> None:
        with node_down(server, branches.mumbai):
            page = asha.browser.get("/accounts/").content.decode()
        assert page.count("₹100.00") >= 2
        assert "cannot be reached" not in page

    def test_sees_what_was_just_written_whatever_the_replica_has(
        self, asha: Person, superuser_url: str
    ) -> None:
        with stalled(superuser_url):
            token = asha.pay().headers[HEADER]
            assert asha.browser.cookies[COOKIE].value == token
            assert asha.balance(asha.browser) == "99.00"
            stranger = asha.another_device()
            assert asha.balance(stranger) == "100.00"
            assert asha.balance(stranger, **{HEADER: token}) == "99.00"
            assert not reads_replica(asha.browser)
        assert eventually(lambda: reads_replica(asha.browser))
        assert asha.balance(asha.browser) == "99.00"

    def test_leaves_a_replica_that_lags(
        self, asha: Person, superuser_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reading, "MOST_LAG_SECONDS", 0.5)
        with stalled(superuser_url):
            asha.pay()
            assert eventually(lambda: asha.balance(asha.another_device()) == "99.00")

    def test_leaves_a_replica_that_is_gone(
        self, asha: Person, replicated: BankUrls, server: TestServer
    ) -> None:
        with node_down(server, replicated):
            page = asha.browser.get("/accounts/").content.decode()
        assert page.count("₹100.00") >= 2
        assert "As of" not in page

    def test_names_the_branch_that_nobody_can_tell_of(
        self, asha: Person, branches: Branches, replicated: BankUrls, server: TestServer
    ) -> None:
        with node_down(server, replicated), node_down(server, branches.mumbai):
            page = asha.browser.get("/accounts/").content.decode()
            listed = asha.browser.get("/api/v1/accounts").json()
            single = asha.browser.get(f"/api/v1/accounts/{asha.mine}")
        assert "The branch MUM cannot be reached just now" in page
        assert listed == {"accounts": [], "unavailable_branches": ["MUM"]}
        assert (single.status_code, single.json()["code"]) == (503, "branch_unavailable")

    def test_never_sees_a_copy_that_is_being_taken(
        self, asha: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # As slow to notice as a process may be, and then some.
        monkeypatch.setattr(freshness, "PERIOD_SECONDS", 1.0)
        monkeypatch.setattr(freshness, "GOOD_FOR_SECONDS", 1.5)
        seen: set[str] = set()
        over = threading.Event()

        def look() -> None:
            client = asha.another_device()
            while not over.is_set():
                beat()
                seen.add(asha.balance(client))
            connections.close_all()

        watcher = threading.Thread(target=look)
        watcher.start()
        replica.resync(MUM)
        assert replica.wait_until_whole(seconds=30)
        assert eventually(lambda: reads_replica(asha.browser))
        over.set()
        watcher.join()
        assert seen == {"100.00"}

    def test_with_nonsense_for_a_token_is_a_bad_request(self, asha: Person) -> None:
        answer = asha.browser.get("/api/v1/accounts", headers={HEADER: "default=1"})
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith(HEADER)

    def test_with_a_spoilt_cookie_is_served_by_the_primaries(self, asha: Person) -> None:
        asha.browser.cookies[COOKIE] = "nonsense"
        assert not reads_replica(asha.browser)
