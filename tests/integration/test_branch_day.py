"""A day of a branch, as staff read it when it is over."""

import csv
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from accounts.services import head_office
from bankproject.runtime.postgres import BankUrls
from core import clock
from core.clock import bank_day
from tests.factories import account, inr, order, person
from transactions.ledger.posting import Kind, Transfer, post
from transactions.reporting.account_days import UnfitPeriod
from transactions.reporting.branch_day import BranchDay, branch_day

TODAY = bank_day(clock.now())
TOMORROW = clock.start_of(TODAY + timedelta(days=1)) + timedelta(hours=1)


@pytest.fixture(scope="module")
def code(shared_bank: BankUrls) -> str:
    """Give a branch at which ₹100 came in cash and ₹20 were paid, and return its code."""
    assert shared_bank
    mine, other = account(balance=10_000), account()
    post(Transfer(mine, other, inr(2_000), Kind.PAYMENT), order=order())
    return head_office().code


@pytest.fixture
def pages(code: str) -> Client:
    """Give a browser that an employee is logged in with."""
    assert code
    client = Client()
    client.force_login(person(email=None, role="employee"))
    return client


class TestADay:
    def test_adds_up_what_moved(self, code: str) -> None:
        found: BranchDay = branch_day(code, TODAY, now=TOMORROW)
        assert [(one.kind, one.channel, one.transfers, one.amount) for one in found.moved] == [
            ("deposit", "api", 1, inr(10_000)),
            ("payment", "api", 1, inr(2_000)),
        ]
        (customers,) = found.customers
        assert (customers.accounts, customers.coming, customers.going, customers.net) == (
            2,
            inr(12_000),
            inr(2_000),
            inr(10_000),
        )
        cash = {one.place.number: (one.opening, one.closing) for one in found.cash}
        assert max(cash.values(), key=str) == (inr(0), inr(10_000))

    def test_before_the_first_movement_has_none(self, code: str) -> None:
        found = branch_day(code, None, now=clock.now())
        assert found.day == TODAY - timedelta(days=1)
        assert not found.moved
        assert not found.customers
        assert {(one.opening, one.closing) for one in found.cash} == {(inr(0), inr(0))}

    @pytest.mark.parametrize("days", [0, 1, -40_000])
    def test_that_is_not_over_or_too_far_is_refused(self, code: str, days: int) -> None:
        with pytest.raises(UnfitPeriod):
            branch_day(code, TODAY + timedelta(days=days), now=clock.now())


class TestPages:
    def test_show_each_table_and_give_it_as_a_file(
        self, pages: Client, code: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(clock, "now", lambda: TOMORROW)
        page = " ".join(
            pages.get(f"/staff/branches/{code}/day/?day={TODAY}").content.decode().split()
        )
        assert "₹120.00" in page
        answer: Any = pages.get(f"/staff/branches/{code}/day.csv?day={TODAY}&table=movements")
        rows = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode())))
        assert rows[1] == ["Deposit", "API", "1", "INR", "100.00"]

    def test_say_what_is_wrong_with_a_day(self, pages: Client, code: str) -> None:
        answer = pages.get(f"/staff/branches/{code}/day/?day={TODAY}")
        assert answer.status_code == 422
        assert "This day is not over yet" in answer.content.decode()
        assert pages.get(f"/staff/branches/{code}/day/?day=soon").status_code == 422
        assert pages.get(f"/staff/branches/{code}/day.csv?day=soon").status_code == 302

    def test_of_what_is_not_there_are_not_there(self, pages: Client, code: str) -> None:
        assert pages.get("/staff/branches/NOWHERE/day/").status_code == 404
        assert pages.get(f"/staff/branches/{code}/day.csv?table=x").status_code == 404
