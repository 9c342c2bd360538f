"""The head office's server is stopped: whoever is logged in goes on with accounts of branches."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Page

from tests.browsing import Chromium
from tests.faults._laboratory import Laboratory, new_laboratory
from tests.faults._nodes import HEAD_OFFICE
from tests.faults._opening import HOMES
from tests.website import served

EMAIL: Final = "asha@example.org"
PASSWORD: Final = "correct horse battery staple"
MINE, OTHER = [number for number, home in HOMES.items() if home == "MUM"][:2]
AT_DELHI = next(number for number, home in HOMES.items() if home == "DEL")
AT_HEAD_OFFICE = next(number for number, home in HOMES.items() if home == HEAD_OFFICE)
# The first person of a bank: one of those who hold all accounts of the laboratory.
JOIN: Final = f"""
from django.contrib.auth.hashers import make_password
from accounts.models import Role
from accounts.services import add_person
asha = add_person(email="{EMAIL}", full_name="Asha Rao", role=Role.CUSTOMER,
    password_hash=make_password("{PASSWORD}"), external_reference=None)
assert asha.pk == 1
"""


@dataclass(frozen=True, kw_only=True)
class Bank:
    """A served bank on three servers, without a replica to help out."""

    lab: Laboratory
    address: str

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Return the status and the answer of the API."""
        request = Request(  # noqa: S310  # our own server
            f"{self.address}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **headers},
        )
        try:
            with urlopen(request, timeout=30) as answer:  # noqa: S310  # our own server
                return answer.status, json.load(answer)
        except HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def token(self) -> dict[str, str]:
        """Log in over the API and return the header of those who have."""
        _status, door = self.ask("/auth/app/v1/auth/login", {"email": EMAIL, "password": PASSWORD})
        return {"Authorization": f"Bearer {door['meta']['access_token']}"}

    def log_in(self, page: Page) -> None:
        """Log in at the door."""
        page.goto(self.address)
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_selector("text=Asha Rao")

    def stop(self, alias: str) -> None:
        """Stop a node's server at once."""
        self.lab.nodes[alias].crash()


@pytest.fixture(scope="module")
def opened() -> Iterator[Bank]:
    """Open a bank at which Asha holds accounts on every node."""
    with new_laboratory(broker=os.environ["REDIS_URL"]) as lab:
        lab.manage("shell", "--no-imports", "-c", JOIN)
        environment = dict(lab.environment)
        environment.pop("REPLICA_DATABASE_URL", None)
        with served(environment) as address:
            yield Bank(lab=lab, address=address)


@pytest.fixture
def bank(opened: Bank) -> Iterator[Bank]:
    """Lend the bank, and undo what befell it."""
    yield opened
    opened.lab.heal()


@pytest.fixture
def page(chromium: Chromium) -> Iterator[Page]:
    """Give a browser's page."""
    with chromium.lent() as browser:
        yield browser.new_page()


def sending(debit: int, credit: int) -> dict[str, str]:
    """Return a transfer of one paisa as the API takes it."""
    return {
        "debit_account": str(debit),
        "credit_account": str(credit),
        "amount": "0.01",
        "currency": "INR",
    }


def test_programs_and_pages_that_are_logged_in_go_on_without_the_head_office(
    bank: Bank, page: Page
) -> None:
    token = bank.token()
    bank.log_in(page)
    bank.stop(HEAD_OFFICE)
    _programs_go_on(bank, token)
    _pages_go_on(bank, page)
    _nobody_new_gets_in(bank)
    page.get_by_role("banner").locator("summary").click()
    page.get_by_role("button", name="Log out").click()
    bank.lab.heal()
    page.goto(bank.address)
    assert "/auth/login/" in page.url
    assert bank.ask("/api/v1/accounts", **token)[0] == 200
    bank.log_in(page)


def test_the_others_go_on_without_a_branch(bank: Bank, page: Page) -> None:
    token = bank.token()
    bank.log_in(page)
    bank.stop("MUM")
    status, listed = bank.ask("/api/v1/accounts", **token)
    assert status == 200
    assert listed["unavailable_branches"] == ["MUM"]
    assert str(AT_DELHI) in {one["number"] for one in listed["accounts"]}
    for debit, credit, expected in (
        (AT_DELHI, AT_HEAD_OFFICE, 201),
        (AT_HEAD_OFFICE, AT_DELHI, 201),
        (AT_DELHI, MINE, 503),
        (MINE, OTHER, 503),
    ):
        key = {"Idempotency-Key": f"{debit}-{credit}"}
        assert bank.ask("/api/v1/transfers", sending(debit, credit), **key, **token)[0] == expected
    page.goto(bank.address)
    assert "MUM" in page.inner_text("main")


def _programs_go_on(bank: Bank, token: dict[str, str]) -> None:
    status, listed = bank.ask("/api/v1/accounts", **token)
    assert status == 200
    assert listed["unavailable_branches"] == [HEAD_OFFICE]
    status, shown = bank.ask(f"/api/v1/accounts/{MINE}", **token)
    assert (status, shown["balance"]) == (200, "0.13")
    key = {"Idempotency-Key": "one"}
    status, sent = bank.ask("/api/v1/transfers", sending(MINE, OTHER), **key, **token)
    assert (status, sent["debit_balance_after"]) == (201, "0.12")
    status, again = bank.ask("/api/v1/transfers", sending(MINE, OTHER), **key, **token)
    assert (status, again["id"]) == (201, sent["id"])
    status, statement = bank.ask(f"/api/v1/accounts/{MINE}/statement", **token)
    assert (status, statement["entries"][0]["amount"]) == (200, "0.01")
    key = {"Idempotency-Key": "two"}
    assert bank.ask("/api/v1/transfers", sending(MINE, AT_DELHI), **key, **token)[0] == 201
    key = {"Idempotency-Key": "three"}
    assert bank.ask("/api/v1/transfers", sending(MINE, AT_HEAD_OFFICE), **key, **token)[0] == 503


def _pages_go_on(bank: Bank, page: Page) -> None:
    page.goto(bank.address)
    assert "Asha Rao" in page.inner_text("header")
    assert "₹0.11" in page.inner_text("main")
    page.goto(f"{bank.address}/transfers/new/?from={MINE}")
    page.get_by_label("To account").fill(str(OTHER))
    page.get_by_label("Amount").fill("0.02")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Send ₹0.02").click()
    page.wait_for_url("**/transfers/*-*/")
    assert "₹0.02" in page.inner_text("main")
    page.goto(f"{bank.address}/accounts/{MINE}/")
    assert "₹0.09" in page.inner_text("main")


def _nobody_new_gets_in(bank: Bank) -> None:
    status, _answer = bank.ask("/auth/app/v1/auth/login", {"email": EMAIL, "password": PASSWORD})
    assert status >= 500
    assert bank.ask("/api/v1/accounts", Authorization="Bearer forged")[0] == 401
