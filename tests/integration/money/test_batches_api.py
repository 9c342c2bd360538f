"""Many transfers in one request over the API."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests.expectations import nothing_written, statements_counted
from tests.factories import account, bank_accounts, person
from tests.integration.money.api import client_of, post, refusal, shown
from transactions.chart import Place
from transactions.ledger.reads import balances

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


@pytest.fixture
def api(asha: User) -> Client:
    """Give a client with the customer's session."""
    return client_of(asha)


@pytest.fixture
def pair(asha: User) -> tuple[int, int]:
    """Return the customer's account with ₹1,000, and one of nobody's."""
    return account(balance=100_000, owner=asha), account()


def item(pair: tuple[int, int], amount: str = "1.00", **more: object) -> dict[str, object]:
    return {
        "debit_account": str(pair[0]),
        "credit_account": str(pair[1]),
        "amount": amount,
        "currency": "INR",
        **more,
    }


def send(api: Client, items: object, *, key: str | None = None) -> Any:
    return post(api, "transfer-batches", {"transfers": items}, key=key)


class TestResults:
    def test_come_in_the_order_of_the_transfers(self, api: Client, pair: tuple[int, int]) -> None:
        items = [
            item(pair, "400.00", memo="wages"),
            item(pair, "700.00"),
            item(pair, "600.00", reference="W-1"),
            item(pair, "0.01"),
        ]
        answer = send(api, items, key="march")
        told = answer.json()
        assert (answer.status_code, told["posted"], told["refused"]) == (200, 2, 2)
        assert (told["unanswered"], told["settling"]) == (0, False)
        statuses = [(one["status"], one.get("code")) for one in told["results"]]
        assert statuses == [
            ("posted", None),
            ("refused", "insufficient_funds"),
            ("posted", None),
            ("refused", "insufficient_funds"),
        ]
        first = shown(api, f"transfers/{told['results'][0]['id']}")
        assert (first["amount"], first["memo"], first["channel"]) == ("400.00", "wages", "api")
        again = send(api, items, key="march")
        assert (again.json(), again.headers["Idempotency-Replayed"]) == (told, "true")
        assert [one.balance for one in balances(pair)] == [0, 100_000]

    def test_of_linked_transfers_stand_or_fall_together(
        self, api: Client, pair: tuple[int, int]
    ) -> None:
        items = [
            item(pair, linked=True),
            item(pair, "2000.00", linked=True),
            item(pair, linked=False),
            item(pair, linked=True),
        ]
        told = send(api, items).json()
        assert [one["code"] for one in told["results"]] == [
            "linked_item_refused",
            "insufficient_funds",
            "linked_item_refused",
            "linked_chain_open",
        ]

    def test_of_ten_thousand_are_ten_thousand(self, api: Client, pair: tuple[int, int]) -> None:
        told = send(api, [item(pair, "0.10", memo=f"no {n % 50}") for n in range(10_000)]).json()
        assert (told["posted"], len({one["id"] for one in told["results"]})) == (10_000, 10_000)
        assert [one.balance for one in balances(pair)] == [0, 100_000]

    def test_of_a_request_take_two_statements(
        self, api: Client, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        send(api, [item(pair)])
        with statements_counted(monkeypatch) as asked:
            assert send(api, [item(pair)] * 100).status_code == 200
        assert len(asked) == 2, asked

    def test_refuse_a_reference_used_before(self, api: Client, pair: tuple[int, int]) -> None:
        told = send(api, [item(pair, reference="W-1")] * 2).json()["results"]
        assert [one.get("code") for one in told] == [None, "duplicate_reference"]
        (again,) = send(api, [item(pair, reference="W-1")]).json()["results"]
        assert again["code"] == "duplicate_reference"


class TestRequest:
    @pytest.mark.parametrize(
        ("changes", "pointer", "code"),
        [
            ({"amount": 1}, "amount", "not_a_string"),
            ({"amount": None}, "amount", "null"),
            ({"amount": "1.001"}, "amount", "too_many_decimals"),
            ({"amount": "-1"}, "amount", "amount_has_sign"),
            ({"amount": "0"}, "amount", "amount_not_positive"),
            ({"currency": "inr"}, "currency", "unknown_currency"),
            ({"currency": ["INR"]}, "currency", "not_a_string"),
            ({"credit_account": "100000000018"}, "credit_account", "invalid_account_number"),
            ({"debit_account": 100000000017}, "debit_account", "not_a_string"),
            ({"memo": None}, "memo", "null"),
            ({"memo": "a\0b"}, "memo", "text_has_null"),
            ({"memo": "a\u202eb"}, "memo", "text_has_format"),
            ({"memo": "x" * 141}, "memo", "text_too_long"),
            ({"reference": ""}, "reference", "text_too_short"),
            ({"reference": "x" * 65}, "reference", "text_too_long"),
            ({"linked": 1}, "linked", "not_a_boolean"),
            ({"linked": "true"}, "linked", "not_a_boolean"),
            ({"note": "x"}, "note", "unknown_field"),
        ],
    )
    def test_is_refused_as_a_whole_naming_the_item_at_fault(
        self,
        api: Client,
        pair: tuple[int, int],
        changes: dict[str, object],
        pointer: str,
        code: str,
    ) -> None:
        with nothing_written():
            answer = send(api, [item(pair), {**item(pair), **changes}, item(pair)])
        assert refusal(answer, 422) == (code, [f"/transfers/1/{pointer}"])

    def test_names_each_item_at_fault_up_to_twenty(
        self, api: Client, pair: tuple[int, int]
    ) -> None:
        wrong = {name: value for name, value in item(pair).items() if name != "amount"}
        code, pointers = refusal(send(api, [item(pair), *[wrong] * 30]), 422)
        assert code == "invalid_request"
        assert pointers == [f"/transfers/{place}/amount" for place in range(1, 21)]

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({}, 422, "required"),
            ({"transfers": []}, 422, "batch_empty"),
            ({"transfers": {}}, 422, "not_a_list"),
            ({"transfers": None}, 422, "null"),
            ({"transfers": ["x"]}, 422, "not_an_object"),
            ({"transfers": [[]]}, 422, "not_an_object"),
            ({"transfers": [{}] * 10_001}, 422, "batch_too_large"),
            ({"transfers": [], "mode": "fast"}, 422, "invalid_request"),
            ([], 422, "not_an_object"),
            ('{"transfers": [{"memo": "a", "memo": "b"}]}', 400, "duplicate_key"),
            ("[" * 100_000, 400, "json_too_deep"),
            (json.dumps({"transfers": ["x" * 9_000_000]}), 413, "request_too_large"),
        ],
    )
    def test_of_another_shape_is_refused(
        self, api: Client, body: object, status: int, code: str
    ) -> None:
        answer = post(api, "transfer-batches", body)
        assert refusal(answer, status)[0] == code

    def test_pays_nobody_but_people(self, api: Client, pair: tuple[int, int]) -> None:
        vault = bank_accounts().number(Place.VAULT)
        with nothing_written():
            answer = send(api, [item(pair), item((pair[0], vault))])
        assert refusal(answer, 422) == (
            "unknown_credit_account",
            ["/transfers/1/credit_account"],
        )

    def test_pays_from_no_account_but_ones_own(self, api: Client, pair: tuple[int, int]) -> None:
        theirs, vault = account(balance=900, owner=person()), bank_accounts().number(Place.VAULT)
        told = send(api, [item((theirs, pair[0])), item((vault, pair[0]))]).json()["results"]
        assert [one["code"] for one in told] == ["unknown_debit_account"] * 2

    def test_needs_a_key_that_stands_for_it_alone(self, api: Client, pair: tuple[int, int]) -> None:
        body = json.dumps({"transfers": [item(pair)]})
        answer = api.post("/api/v1/transfer-batches", body, content_type="application/json")
        assert refusal(answer, 400) == ("idempotency_key_missing", [])
        send(api, [item(pair)], key="march")
        assert refusal(send(api, [item(pair, "2")], key="march"), 422) == ("key_reused", [])

    @pytest.mark.parametrize(("first", "second"), [("memo", "reference"), ("reference", "memo")])
    def test_is_another_one_when_a_memo_is_a_reference(
        self, api: Client, pair: tuple[int, int], first: str, second: str
    ) -> None:
        send(api, [item(pair, **{first: "W-1"})], key="march")
        other = send(api, [item(pair, **{second: "W-1"})], key="march")
        assert refusal(other, 422) == ("key_reused", [])
