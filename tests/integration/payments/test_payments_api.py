"""Payees, standing orders and limits over the API."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from core import clock
from core.clock import bank_day
from tests.factories import customer_account, person
from tests.integration.payments.conftest import CODE
from tests.integration.people.conftest import entries_of
from transactions.limits.models import LimitRaise

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(asha: User) -> Client:
    """Give a client that Asha is logged in with."""
    return client_of(asha)


def client_of(user: User) -> Client:
    """Return a client that somebody is logged in with."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def call(client: Client, method: str, address: str, body: object = None, **headers: str) -> Any:
    """Send a request."""
    return client.generic(
        method,
        f"/api/v1/{address}",
        b"" if body is None else json.dumps(body),
        content_type="application/json",
        headers=headers,
    )


def confirmed(client: Client, method: str, address: str, body: object, **headers: str) -> Any:
    """Send a request twice, the second time with the code that came by e-mail."""
    refused = call(client, method, address, body, **headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
    found = CODE.search(str(mail.outbox[-1].body))
    assert found is not None
    proof = {"Step-Up-Challenge": refused.json()["challenge"], "Step-Up-Code": found.group()}
    return call(client, method, address, body, **headers, **proof)


def problem(answer: Any, status: int) -> str:
    """Check that an answer is a problem with a status, and return its code."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status_code == status, answer.content
    code: str = answer.json()["code"]
    return code


def order_body(debit: int, credit: int, **changes: object) -> dict[str, object]:
    """Return the body of a standing order that begins today."""
    return {
        "debit_account": str(debit),
        "credit_account": str(credit),
        "amount": "1000.00",
        "currency": "INR",
        "frequency": "monthly",
        "first_date": bank_day(clock.now()).isoformat(),
        **changes,
    }


class TestPayees:
    @pytest.mark.usefixtures("mine")
    def test_are_added_shown_renamed_and_removed(self, api: Client, theirs: int) -> None:
        body = {"account": str(theirs), "nickname": "Rent"}
        answer = confirmed(api, "POST", "payees", body)
        assert answer.status_code == 201
        payee = answer.json()
        assert answer.headers["Location"] == f"/api/v1/payees/{payee['id']}"
        assert (payee["name"], payee["daily_limit_while_cooling"]) == ("Vikram S.", "50000.00")
        assert call(api, "POST", "payees", body).headers["Idempotency-Replayed"] == "true"
        assert call(api, "GET", "payees").json() == {"payees": [payee], "has_more": False}
        address = f"payees/{payee['id']}"
        renamed = call(api, "PATCH", address, {"nickname": "Landlord"}).json()
        assert renamed == {**payee, "nickname": "Landlord"}
        assert call(api, "GET", address).json() == renamed
        assert call(api, "DELETE", address).status_code == 204
        assert problem(call(api, "GET", address), 404) == "unknown_payee"

    def test_are_confirmed_by_name(self, api: Client, theirs: int) -> None:
        found = call(api, "GET", f"payee-confirmations/{theirs}").json()
        assert found == {"account": str(theirs), "currency": "INR", "name": "Vikram S."}
        assert problem(call(api, "GET", "payee-confirmations/12"), 404) == "unknown_account"

    def test_of_others_are_not_found(self, api: Client, vikram: User, mine: int) -> None:
        body = {"account": str(mine), "nickname": "Asha"}
        theirs = confirmed(client_of(vikram), "POST", "payees", body).json()
        for method, name in (("GET", None), ("PATCH", {"nickname": "x"}), ("DELETE", None)):
            answer = call(api, method, f"payees/{theirs['id']}", name)
            assert problem(answer, 404) == "unknown_payee"


class TestStandingOrders:
    def test_are_given_paused_resumed_skipped_and_cancelled(
        self, api: Client, mine: int, theirs: int
    ) -> None:
        key = {"Idempotency-Key": str(uuid4())}
        answer = call(api, "POST", "standing-orders", order_body(mine, theirs), **key)
        assert answer.status_code == 201
        given = answer.json()
        assert len(given["next_dates"]) == 5
        again = call(api, "POST", "standing-orders", order_body(mine, theirs), **key)
        assert (again.json(), again.headers["Idempotency-Replayed"]) == (given, "true")
        other = order_body(mine, theirs, amount="2.00")
        assert problem(call(api, "POST", "standing-orders", other, **key), 422) == "key_reused"
        address = f"standing-orders/{given['id']}"
        assert call(api, "POST", f"{address}/pause").json()["state"] == "paused"
        assert call(api, "POST", f"{address}/resume").json()["state"] == "active"
        day = {"date": given["next_dates"][0]}
        skipped = call(api, "POST", f"{address}/skip", day).json()
        assert skipped["next_dates"][:4] == given["next_dates"][1:]
        (payment,) = call(api, "GET", f"{address}/payments").json()["payments"]
        assert (payment["date"], payment["state"]) == (day["date"], "cancelled")
        assert call(api, "POST", f"{address}/cancel").json()["next_dates"] == []
        listed = call(api, "GET", "standing-orders").json()["standing_orders"]
        assert [one["state"] for one in listed] == ["cancelled"]
        assert problem(call(api, "POST", f"{address}/pause"), 409) == "standing_order_over"

    def test_of_large_amounts_need_a_code(self, api: Client, mine: int, theirs: int) -> None:
        body = order_body(mine, theirs, amount="100000.00")
        key = {"Idempotency-Key": str(uuid4())}
        assert confirmed(api, "POST", "standing-orders", body, **key).status_code == 201

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"frequency": "daily"}, "not_a_choice"),
            ({"first_date": "2026-02-30"}, "not_a_date"),
            ({"first_date": "2020-01-01"}, "first_date_past"),
            ({"last_date": "2020-01-01"}, "last_date_before_first"),
            ({"month_end": 1}, "not_a_boolean"),
            ({"weekend": None}, "null"),
            ({"amount": "0"}, "amount_not_positive"),
            ({"memo": "rent\u202e"}, "text_has_format"),
            ({"user": 1}, "unknown_field"),
        ],
    )
    def test_are_refused_for_a_reason(
        self, api: Client, mine: int, theirs: int, changes: dict[str, object], code: str
    ) -> None:
        body = order_body(mine, theirs, **changes)
        key = {"Idempotency-Key": str(uuid4())}
        answer = call(api, "POST", "standing-orders", body, **key)
        assert problem(answer, 422) == code
        assert call(api, "GET", "standing-orders").json()["standing_orders"] == []

    def test_need_a_key(self, api: Client, mine: int, theirs: int) -> None:
        answer = call(api, "POST", "standing-orders", order_body(mine, theirs))
        assert problem(answer, 400) == "idempotency_key_missing"

    def test_are_listed_page_by_page(self, api: Client, mine: int, theirs: int) -> None:
        for _ in range(3):
            key = {"Idempotency-Key": str(uuid4())}
            call(api, "POST", "standing-orders", order_body(mine, theirs), **key)
        first = call(api, "GET", "standing-orders?limit=2").json()
        address = f"standing-orders?limit=2&cursor={first['next_cursor']}"
        second = call(api, "GET", address).json()
        assert second["has_more"] is False
        found = first["standing_orders"] + second["standing_orders"]
        assert len({one["id"] for one in found}) == 3
        tampered = call(api, "GET", f"{address}x")
        assert problem(tampered, 400) == "invalid_cursor"


class TestLimits:
    def test_are_lowered_at_once_and_raised_after_a_code(
        self, api: Client, asha: User, mine: int
    ) -> None:
        address = f"accounts/{mine}/limits"
        low = {"currency": "INR", "daily_limit": "50.00", "transfer_limit": "0"}
        lowered = call(api, "PATCH", address, low).json()
        assert (lowered["daily_limit"], lowered["transfer_limit"]) == ("50.00", "0.00")
        high = {"currency": "INR", "daily_limit": "80.00", "transfer_limit": None}
        raised = confirmed(api, "PATCH", address, high).json()
        assert raised["daily_limit"] == "50.00"
        assert [(one["limit"], one.get("to")) for one in raised["raises"]] == [
            ("daily_limit", "80.00"),
            ("transfer_limit", None),
        ]
        assert call(api, "GET", address).json() == raised
        wished = [entry for wish in LimitRaise.objects.all() for entry in entries_of(wish)]
        assert [(one.pgh_label, one.by) for one in wished] == [("insert", asha)] * 2

    @pytest.mark.parametrize(
        ("body", "code", "pointer"),
        [
            ({"currency": "INR"}, "limits_missing", None),
            ({"currency": "INR", "daily_limit": "-1"}, "amount_has_sign", "/daily_limit"),
            (
                {"currency": "INR", "transfer_limit": "1.234"},
                "too_many_decimals",
                "/transfer_limit",
            ),
            ({"currency": "EUR", "daily_limit": "1"}, "wrong_currency", "/currency"),
            ({"currency": "INR", "overdraft_limit": "1"}, "unknown_field", "/overdraft_limit"),
        ],
    )
    def test_are_refused_for_a_reason(
        self, api: Client, mine: int, body: object, code: str, pointer: str | None
    ) -> None:
        answer = call(api, "PATCH", f"accounts/{mine}/limits", body)
        assert problem(answer, 422) == code
        pointers = [error["pointer"] for error in answer.json().get("errors", [])]
        assert pointers == ([] if pointer is None else [pointer])

    def test_of_others_are_not_found(self, api: Client, theirs: int) -> None:
        for method, body in (("GET", None), ("PATCH", {"currency": "INR", "daily_limit": "1"})):
            answer = call(api, method, f"accounts/{theirs}/limits", body)
            assert problem(answer, 404) == "unknown_account"


def test_a_standing_order_from_anothers_account_is_refused(
    api: Client, mine: int, theirs: int
) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    answer = call(api, "POST", "standing-orders", order_body(theirs, mine), **key)
    assert problem(answer, 422) == "unknown_debit_account"
    stranger = customer_account(person())
    answer = call(api, "POST", "standing-orders", order_body(mine, stranger + 100), **key)
    assert problem(answer, 422) in {"unknown_credit_account", "invalid_account_number"}
