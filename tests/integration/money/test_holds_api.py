"""Money set aside over the API: placed, captured, released, or left to run out."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User
from tests.expectations import nothing_written
from tests.factories import account, bank_accounts, inr, order, person
from tests.integration.money.api import client_of, post, refusal, shown
from transactions.chart import Place
from transactions.ledger.posting import hold
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
def shop() -> User:
    """Give another customer."""
    return person()


@pytest.fixture
def pair(asha: User, shop: User) -> tuple[int, int]:
    """Return the customer's account with ₹100, and the shop's."""
    return account(balance=10_000, owner=asha), account(owner=shop)


def later(days: float = 1) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def body_of(pair: tuple[int, int], **changes: object) -> dict[str, object]:
    return {
        "account": str(pair[0]),
        "payee_account": str(pair[1]),
        "amount": "60.00",
        "currency": "INR",
        "expires_at": later(),
        **changes,
    }


def state_of(pair: tuple[int, int]) -> tuple[int, int, int]:
    """Return the payer's balance and what is held of it, and the payee's balance."""
    found = {one.number: one for one in balances(pair)}
    return found[pair[0]].balance, found[pair[0]].held, found[pair[1]].balance


class TestPlacing:
    def test_sets_money_aside_once_for_each_key(self, api: Client, pair: tuple[int, int]) -> None:
        body = body_of(pair, memo="room 12")
        placed, again = (post(api, "holds", body, key="room") for _time in range(2))
        held = placed.json()
        assert (placed.status_code, again.status_code, again.json()) == (201, 201, held)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in placed.headers
        assert (held["state"], held["amount"], held["memo"]) == ("open", "60.00", "room 12")
        assert "captured" not in held
        assert state_of(pair) == (10_000, 6_000, 0)
        assert shown(api, placed.headers["Location"].removeprefix("/api/v1/")) == held
        other = post(api, "holds", body_of(pair, amount="1"), key="room")
        assert refusal(other, 422) == ("key_reused", [])

    def test_is_refused_with_the_field_at_fault(
        self, api: Client, asha: User, pair: tuple[int, int]
    ) -> None:
        stranger, yen = account(balance=900), account(currency="JPY", owner=asha)
        vault = bank_accounts().number(Place.VAULT)
        cases: list[tuple[dict[str, object], str, list[str]]] = [
            ({"amount": "100.01"}, "insufficient_funds", ["/amount"]),
            ({"account": str(stranger)}, "unknown_debit_account", ["/account"]),
            ({"payee_account": str(vault)}, "unknown_credit_account", ["/payee_account"]),
            ({"payee_account": str(yen)}, "currencies_differ", ["/currency"]),
            ({"expires_at": later(-1)}, "invalid_expiry", ["/expires_at"]),
            ({"expires_at": later(32)}, "hold_too_long", ["/expires_at"]),
            ({"expires_at": "tomorrow"}, "not_an_instant", ["/expires_at"]),
            ({"amount": "0"}, "amount_not_positive", ["/amount"]),
            ({"memo": "a\0"}, "text_has_null", ["/memo"]),
            ({"state": "open"}, "unknown_field", ["/state"]),
        ]
        for changes, code, pointers in cases:
            with nothing_written(), transaction.atomic():
                answer = post(api, "holds", body_of(pair, **changes))
            assert refusal(answer, 422) == (code, pointers), changes


class TestEnding:
    @pytest.fixture
    def held(self, api: Client, pair: tuple[int, int]) -> str:
        """Return the id of a hold of ₹60."""
        return str(post(api, "holds", body_of(pair)).json()["id"])

    def test_pays_a_part_and_frees_the_rest(
        self, shop: User, pair: tuple[int, int], held: str
    ) -> None:
        api, part = client_of(shop), {"amount": "45.50", "currency": "INR"}
        paid, again = (post(api, f"holds/{held}/capture", part, key="pay") for _time in range(2))
        assert (paid.status_code, again.json()) == (201, paid.json())
        assert again.headers["Idempotency-Replayed"] == "true"
        assert state_of(pair) == (5_450, 0, 4_550)
        assert shown(api, paid.headers["Location"].removeprefix("/api/v1/"))["amount"] == "45.50"
        ended = shown(api, f"holds/{held}")
        assert (ended["state"], ended["captured"]) == ("captured", "45.50")
        assert ended["transfer_id"] == paid.json()["id"]

    def test_pays_all_when_nothing_else_is_said(
        self, api: Client, pair: tuple[int, int], held: str
    ) -> None:
        assert post(api, f"holds/{held}/capture", {}).status_code == 201
        assert state_of(pair) == (4_000, 0, 6_000)

    def test_frees_all_without_paying(self, api: Client, pair: tuple[int, int], held: str) -> None:
        freed, again = (post(api, f"holds/{held}/release", {}, key="no") for _time in range(2))
        assert (freed.status_code, freed.json()["state"]) == (200, "released")
        assert (again.json(), again.headers["Idempotency-Replayed"]) == (freed.json(), "true")
        assert state_of(pair) == (10_000, 0, 0)
        assert refusal(post(api, f"holds/{held}/capture", {}), 422) == ("hold_not_open", [])

    @pytest.mark.parametrize(
        ("part", "code", "pointers"),
        [
            ({"amount": "60.01", "currency": "INR"}, "capture_exceeds_hold", ["/amount"]),
            ({"amount": "1", "currency": "CZK"}, "wrong_currency", ["/currency"]),
            ({"amount": "1"}, "required", ["/currency"]),
            ({"currency": "INR"}, "required", ["/amount"]),
            ({"hold": "1"}, "unknown_field", ["/hold"]),
        ],
    )
    def test_refuses_what_does_not_fit(
        self, api: Client, held: str, part: dict[str, str], code: str, pointers: list[str]
    ) -> None:
        with nothing_written(), transaction.atomic():
            answer = post(api, f"holds/{held}/capture", part)
        assert refusal(answer, 422) == (code, pointers)

    def test_is_for_its_two_sides_alone(self, pair: tuple[int, int], held: str) -> None:
        other = client_of(person())
        assert refusal(other.get(f"/api/v1/holds/{held}"), 404) == ("unknown_hold", [])
        for ending in ("capture", "release"):
            for hold_id in (held, uuid4()):
                answer = post(other, f"holds/{hold_id}/{ending}", {})
                assert refusal(answer, 404) == ("unknown_hold", [])
        assert state_of(pair) == (10_000, 6_000, 0)


class TestList:
    def test_shows_both_sides_and_what_has_run_out(
        self, api: Client, asha: User, shop: User, pair: tuple[int, int]
    ) -> None:
        first, second = (post(api, "holds", body_of(pair, amount="1")).json() for _time in "12")
        post(api, f"holds/{first['id']}/release", {})
        own = account(owner=asha)
        among = post(api, "holds", body_of((pair[0], own), amount="2")).json()
        assert [one["id"] for one in shown(api, "holds")["holds"]] == [
            among["id"],
            second["id"],
            first["id"],
        ]
        theirs = shown(client_of(shop), "holds", state="open")["holds"]
        assert theirs == [second]
        assert shown(api, "holds", account=own)["holds"] == [among]
        assert shown(api, "holds", state="expired")["holds"] == []
        page = shown(api, "holds", limit=2)
        rest = shown(api, "holds", limit=2, cursor=page["next_cursor"])
        assert [one["id"] for one in rest["holds"]] == [first["id"]]

    def test_shows_one_that_has_run_out_as_expired(
        self, api: Client, pair: tuple[int, int]
    ) -> None:
        soon = datetime.now(UTC) + timedelta(milliseconds=200)
        held = hold(
            account=pair[0], payee=pair[1], amount=inr(1), expires_at=soon, order=order()
        ).hold_id
        while datetime.now(UTC) <= soon:
            pass
        (one,) = shown(api, "holds", state="expired")["holds"]
        assert (one["id"], one["state"]) == (str(held), "expired")
        assert refusal(post(api, f"holds/{held}/capture", {}), 422) == ("hold_expired", [])
