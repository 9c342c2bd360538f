"""Statements with conditions, and balances of the past."""

from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from core.clock import bank_day
from tests.factories import account, inr, order, person
from tests.integration.money.api import client_of, refusal, shown
from transactions.ledger.posting import Kind, Transfer, post

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
def mine(asha: User) -> int:
    """Return an account with ₹100 paid in, and three entries since."""
    number, other = account(balance=10_000, owner=asha), account(balance=5_000)
    last_year = datetime(2025, 3, 2, 12, tzinfo=UTC)
    post(Transfer(number, other, inr(100), memo="Rent for March"), order=order())
    post(Transfer(number, other, inr(250), Kind.PAYMENT), order=order())
    post(Transfer(other, number, inr(300), event_at=last_year), order=order())
    return number


@pytest.mark.parametrize(
    ("conditions", "amounts"),
    [
        ({}, ["3.00", "2.50", "1.00", "100.00"]),
        ({"kind": "payment"}, ["2.50"]),
        ({"kind": "deposit", "text": "rent"}, []),
        ({"text": "rENT"}, ["1.00"]),
        ({"direction": "in"}, ["3.00", "100.00"]),
        ({"direction": "out", "amount_max": "1"}, ["1.00"]),
        ({"amount_min": "1.01", "amount_max": "3"}, ["3.00", "2.50"]),
        ({"value_date": "2025-03-02"}, ["3.00"]),
        ({"date_to": "2025-03-02"}, []),
        ({"date_to": "1950-01-01"}, []),
        ({"date_from": "1950-01-01", "kind": "payment"}, ["2.50"]),
        ({"date_from": "2025-03-02", "limit": "1"}, ["3.00"]),
    ],
)
def test_shows_what_is_wanted(
    api: Client, mine: int, conditions: dict[str, str], amounts: list[str]
) -> None:
    page = shown(api, f"accounts/{mine}/statement", **conditions)
    assert [entry["amount"] for entry in page["entries"]] == amounts


def test_days_are_the_banks_and_belong_to_the_range(api: Client, mine: int) -> None:
    today = bank_day(datetime.now(UTC))
    on_the_day = shown(api, f"accounts/{mine}/statement", date_from=f"{today}", date_to=f"{today}")
    assert len(on_the_day["entries"]) == 4
    before = shown(api, f"accounts/{mine}/statement", date_to=f"{today - timedelta(days=1)}")
    assert before["entries"] == []


def test_goes_on_under_the_same_conditions(api: Client, mine: int) -> None:
    wanted: dict[str, str | int] = {"amount_max": "3.00", "limit": 1}
    first = shown(api, f"accounts/{mine}/statement", **wanted)
    second = shown(api, f"accounts/{mine}/statement", **wanted, cursor=first["next_cursor"])
    third = shown(api, f"accounts/{mine}/statement", **wanted, cursor=second["next_cursor"])
    amounts = [page["entries"][0]["amount"] for page in (first, second, third)]
    assert (amounts, third["has_more"]) == (["3.00", "2.50", "1.00"], False)


def test_amounts_are_read_in_the_accounts_currency(api: Client, asha: User) -> None:
    yen = account(balance=5, currency="JPY", owner=asha)
    answer = api.get(f"/api/v1/accounts/{yen}/statement", {"amount_min": "1.50"})
    assert refusal(answer, 422) == ("too_many_decimals", ["/amount_min"])


def test_the_last_five_are_the_newest(api: Client, mine: int) -> None:
    other = account()
    for minor in (1, 2, 3):
        post(Transfer(mine, other, inr(minor)), order=order())
    found = shown(api, f"accounts/{mine}/last-five")
    assert [entry["amount"] for entry in found["entries"]] == [
        "0.03",
        "0.02",
        "0.01",
        "3.00",
        "2.50",
    ]


class TestFiles:
    @pytest.mark.parametrize(
        ("form", "media_type", "start"),
        [
            ("csv", "text/csv", b"booked_at,"),
            ("ofx", "application/x-ofx", b"<?xml"),
            ("xml", "application/xml", b"<?xml"),
            ("sta", "text/plain", b":20:"),
            ("pdf", "application/pdf", b"%PDF"),
        ],
    )
    def test_are_what_was_asked_for_whatever_is_accepted(
        self, api: Client, mine: int, form: str, media_type: str, start: bytes
    ) -> None:
        answer: Any = api.get(
            f"/api/v1/accounts/{mine}/statement-file",
            {"format": form, "kind": "payment"},
            headers={"Accept": media_type},
        )
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(media_type)
        assert f'filename="statement-{mine}.{form}"' in answer.headers["Content-Disposition"]
        file = b"".join(answer.streaming_content)
        assert file.startswith(start)
        assert form == "pdf" or (b"2.50" in file or b"2,50" in file)
        assert b"Rent for March" not in file

    @pytest.mark.parametrize(
        ("asked", "code", "field"),
        [
            ({"format": "exe"}, "not_a_choice", "/format"),
            ({"format": "csv", "limit": "5"}, "unknown_field", "/limit"),
            (
                {"format": "csv", "date_from": "2026-03-02", "date_to": "2026-03-01"},
                "empty_range",
                "/date_to",
            ),
        ],
    )
    def test_of_what_cannot_be_are_refused(
        self, api: Client, mine: int, asked: dict[str, str], code: str, field: str
    ) -> None:
        answer = api.get(f"/api/v1/accounts/{mine}/statement-file", asked)
        assert refusal(answer, 422) == (code, [field])

    def test_of_days_to_come_and_of_ten_years_are_made(self, api: Client, mine: int) -> None:
        for first, entries in (("2190-01-01", 0), ("2016-01-01", 4)):
            asked = {"format": "csv", "date_from": first, "date_to": "2195-12-31"}
            answer: Any = api.get(f"/api/v1/accounts/{mine}/statement-file", asked)
            file = b"".join(answer.streaming_content).decode()
            assert f"end of file,{entries}," in file


class TestBalance:
    def test_of_now_is_the_accounts(self, api: Client, mine: int) -> None:
        assert shown(api, f"accounts/{mine}/balance") == {
            "account": str(mine),
            "balance": "99.50",
            "currency": "INR",
        }

    def test_of_the_past_counts_what_was_booked_before(self, api: Client, mine: int) -> None:
        sleep(0.002)
        between = datetime.now(UTC)
        sleep(0.002)
        late = datetime(2020, 1, 1, tzinfo=UTC)
        post(Transfer(mine, account(), inr(50), event_at=late), order=order())
        told = shown(api, f"accounts/{mine}/balance", as_of=between.isoformat())
        assert told["balance"] == "99.50"
        assert datetime.fromisoformat(told["as_of"]) == between
        assert shown(api, f"accounts/{mine}/balance")["balance"] == "99.00"
        assert shown(api, f"accounts/{mine}/balance", as_of="1950-01-01")["balance"] == "0.00"
        yesterday = bank_day(between) - timedelta(days=1)
        assert shown(api, f"accounts/{mine}/balance", as_of=f"{yesterday}")["balance"] == "0.00"

    @pytest.mark.parametrize(
        ("as_of", "code"),
        [
            ("2190-01-01T00:00:00Z", "instant_in_future"),
            ("2190-01-01", "instant_in_future"),
            ("2026-03-02T00:00:00", "not_an_instant"),
            ("2026-03-02T00:00:00 05:30", "not_an_instant"),
            ("2026-02-30", "not_a_date"),
            ("yesterday", "not_an_instant"),
            ("1000-01-01", "date_out_of_range"),
        ],
    )
    def test_is_of_a_past_instant(self, api: Client, mine: int, as_of: str, code: str) -> None:
        answer = api.get(f"/api/v1/accounts/{mine}/balance", {"as_of": as_of})
        assert refusal(answer, 422) == (code, ["/as_of"])


@pytest.mark.parametrize(
    "what",
    ["statement", "statement-file?format=csv", "last-five", "balance", "balance?as_of=2026-03-02"],
)
def test_another_persons_account_is_unknown(api: Client, what: str) -> None:
    theirs = account(balance=100, owner=person())
    for number in (theirs, "100000000017", "x"):
        answer = api.get(f"/api/v1/accounts/{number}/{what}")
        assert refusal(answer, 404) == ("unknown_account", [])
