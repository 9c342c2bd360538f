"""Loans over the API: paying for them, and what officers propose about them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Role, User, Viewing
from core import clock
from loans.models import Loan, Repayment, Restructuring
from tests.codes import with_code
from tests.expectations import nothing_written
from tests.factories import person
from tests.integration.loans.bank import customer, lent, terms
from tests.integration.money.api import client_of, post, refusal, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def loan() -> Loan:
    """Give a loan that was paid out ten days ago, to a customer who can pay."""
    terms()
    return lent(*customer(balance=50_000_00), now=clock.now() - timedelta(days=10))


def officer() -> Client:
    """Return a client of an admin who reviews loans and decides about requests."""
    found = person(role=Role.ADMIN, is_staff=True)
    may = ("review_loan", "view_loan", "decide_approval", "view_approval")
    found.user_permissions.set(Permission.objects.filter(codename__in=may))
    return client_of(found)


def approved(checker: Client, approval: dict[str, Any]) -> Any:
    """Let another admin approve a request with a code; return what came of it."""
    address, key = f"admin/approvals/{approval['id']}/approve", str(uuid4())
    question = post(checker, address, {}, key=key).json()
    return post(checker, address, {}, key=key, **with_code(question)).json()


class TestARepayment:
    def test_by_a_key_stands_for_its_currency_too(self, loan: Loan) -> None:
        asha, body = client_of(loan.borrower), {"account": str(loan.account), "currency": "INR"}
        address = f"loans/{loan.pk}/repayments"
        first = post(asha, address, {**body, "amount": "500.00"}, key="k")
        assert first.status_code == 201
        for other in ({"currency": "CZK", "amount": "500.00"}, {"currency": "CZK"}, {}):
            again = post(asha, address, {**body, **other}, key="k")
            assert refusal(again, 422)[0] == "key_reused"
        same = post(asha, address, {**body, "amount": "500.00"}, key="k")
        assert same.json() == first.json()
        assert Repayment.objects.count() == 1

    @pytest.mark.parametrize("amount", [{"amount": "500.00"}, {}])
    def test_in_another_currency_than_the_loan_is_refused(
        self, loan: Loan, amount: dict[str, str]
    ) -> None:
        body = {"account": str(loan.account), "currency": "CZK", **amount}
        with nothing_written():
            answer = post(client_of(loan.borrower), f"loans/{loan.pk}/repayments", body)
        assert refusal(answer, 422) == ("wrong_currency", ["/currency"])


class TestAnOfficer:
    def test_sees_a_loan_and_is_seen(self, loan: Loan) -> None:
        found = shown(officer(), f"admin/loans/{loan.pk}")
        assert found["borrower"] == str(User.objects.get(pk=loan.borrower_id).number)
        assert (found["owed"], len(found["restructuring_days"])) == ("120000.00", 3)
        assert Viewing.objects.get().subject_id == loan.borrower_id

    def test_proposes_another_plan_once_for_each_key_and_another_admin_approves(
        self, loan: Loan
    ) -> None:
        maker, address = officer(), f"admin/loans/{loan.pk}"
        plan = {
            "since": shown(maker, address)["restructuring_days"][0],
            "months": 24,
            "rate_percent": "9.5",
            "reason": "ill",
        }
        asked, again = (post(maker, f"{address}/restructure", plan, key="k") for _ in range(2))
        assert asked.status_code == 202
        assert again.json() == asked.json()
        other = post(maker, f"{address}/restructure", {**plan, "months": 25}, key="k")
        assert refusal(other, 422)[0] == "key_reused"
        own = post(maker, f"admin/approvals/{asked.json()['id']}/approve", {})
        assert refusal(own, 403)[0] == "own_request"
        assert approved(officer(), asked.json())["state"] == "done"
        agreed = Restructuring.objects.get()
        assert (agreed.months, agreed.rate_ppm, agreed.capitalises) == (24, 95_000, False)
        (listed,) = shown(maker, address)["restructurings"]
        assert (listed["rate_percent"], listed["state"]) == ("9.5", "waiting")

    def test_proposes_to_write_off_once_at_a_time_and_another_admin_approves(
        self, loan: Loan
    ) -> None:
        address, body = f"admin/loans/{loan.pk}/write-off", {"reason": "cannot pay"}
        asked, again = (post(officer(), address, body).json() for _ in range(2))
        assert again["id"] == asked["id"]
        assert approved(officer(), asked)["state"] == "done"
        loan.refresh_from_db()
        assert loan.state == "written_off"
        assert refusal(post(officer(), address, body), 409)[0] == "loan_not_running"

    @pytest.mark.parametrize(
        ("changes", "code", "pointer"),
        [
            ({"rate_percent": "-1"}, "invalid_rate", "/rate_percent"),
            ({"rate_percent": "12.34567"}, "invalid_rate", "/rate_percent"),
            ({"rate_percent": "101"}, "invalid_rate", "/rate_percent"),
            ({"since": "2020-01-01"}, "not_an_instalment_day", "/since"),
            ({"holiday_months": 24}, "invalid_holiday", "/holiday_months"),
            ({"months": 0}, "out_of_range", "/months"),
        ],
    )
    def test_is_told_what_no_plan_can_be(
        self, loan: Loan, changes: dict[str, Any], code: str, pointer: str
    ) -> None:
        maker, address = officer(), f"admin/loans/{loan.pk}"
        plan = {
            "since": shown(maker, address)["restructuring_days"][0],
            "months": 24,
            "rate_percent": "9.5",
            "reason": "ill",
        }
        with nothing_written():
            answer = post(maker, f"{address}/restructure", {**plan, **changes})
        assert refusal(answer, answer.status_code) == (code, [pointer])

    def test_knows_no_loan_by_another_number(self, loan: Loan) -> None:
        for number in (loan.account, "12", "0"):
            answer = post(officer(), f"admin/loans/{number}/write-off", {"reason": "gone"})
            assert refusal(answer, 404)[0] == "unknown_loan"
