"""All accounts and all transactions over the API, for those who work for the bank."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client

from accounts.models import Role, User, Viewing
from accounts.numbers import account_number
from accounts.services import head_office
from tests.codes import with_code
from tests.factories import customer_account, inr, order, person
from transactions.ledger.posting import Transfer, post

pytestmark = pytest.mark.django_db

MAY = ("govern_account", "view_account", "decide_approval", "view_approval")


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


@pytest.fixture
def number(asha: User) -> int:
    """Return the customer's account, with ₹100."""
    return customer_account(asha, balance=10_000)


@pytest.fixture
def anjali() -> Client:
    """Give a client of an admin."""
    return client_of(admin())


@pytest.fixture
def vivek() -> Client:
    """Give a client of another admin."""
    return client_of(admin())


def admin(*may: str) -> User:
    """Return an admin with permissions."""
    found = person(full_name="Anjali Bhatt", role=Role.ADMIN, is_staff=True)
    found.user_permissions.set(Permission.objects.filter(codename__in=may or MAY))
    return found


def client_of(user: User) -> Client:
    """Return a client that somebody is logged in with."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def call(
    client: Client, method: str, address: str, body: object = None, *, key: str = "", **headers: str
) -> Any:
    """Send a request."""
    return client.generic(
        method,
        f"/api/v1/admin/{address}",
        b"" if body is None else json.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": key or str(uuid4()), **headers},
    )


def problem(answer: Any, status: int) -> str:
    """Check that an answer is a problem with a status, and return its code."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status_code == status, answer.content
    code: str = answer.json()["code"]
    return code


def approved(vivek: Client, approval: dict[str, Any]) -> Any:
    """Approve a request."""
    address, key = f"approvals/{approval['id']}/approve", str(uuid4())
    question = call(vivek, "POST", address, key=key).json()
    answer = call(vivek, "POST", address, key=key, **with_code(question))
    assert answer.status_code == 200, answer.content
    return answer.json()


class TestAllAccounts:
    def test_are_listed_by_number_with_filters_and_pages(
        self, anjali: Client, asha: User, number: int
    ) -> None:
        koruny = customer_account(asha, currency="CZK")
        others = [customer_account(person()) for _ in range(2)]
        first = call(anjali, "GET", "accounts?limit=3").json()
        rest = call(anjali, "GET", f"accounts?limit=3&cursor={first['next_cursor']}").json()
        found = [one["number"] for one in first["accounts"] + rest["accounts"]]
        assert found == sorted(str(one) for one in (number, koruny, *others))
        for query, expected in (
            ("currency=CZK", [koruny]),
            (f"user_id={id_of(asha)}", sorted([number, koruny])),
            ("status=closed", []),
            ("branch=HO&product=current&currency=INR", sorted([number, *others])),
        ):
            listed = call(anjali, "GET", f"accounts?{query}").json()["accounts"]
            assert [one["number"] for one in listed] == [str(one) for one in expected]
        (shown,) = call(anjali, "GET", f"accounts?user_id={id_of(asha)}&currency=INR").json()[
            "accounts"
        ]
        assert (shown["balance"], shown["holders"][0]["name"]) == ("100.00", "Asha Rao")

    def test_are_seen_by_employees_who_change_nothing(self, asha: User, number: int) -> None:
        employee = client_of(person(role=Role.EMPLOYEE))
        assert call(employee, "GET", f"accounts/{number}").json()["status"] == "open"
        answer = call(employee, "POST", f"accounts/{number}/close", {"reason": "x"})
        assert problem(answer, 403) == "forbidden"
        assert problem(call(client_of(asha), "GET", "accounts"), 403) == "forbidden"

    def test_tell_their_holders_who_looked(self, anjali: Client, asha: User, number: int) -> None:
        call(anjali, "GET", f"accounts/{number}")
        assert Viewing.objects.filter(subject=asha).exists()

    def test_tell_nobody_of_a_look_who_stands_on_the_next_page(
        self, anjali: Client, asha: User, number: int
    ) -> None:
        vikram = person()
        customer_account(vikram)
        (shown,) = call(anjali, "GET", "accounts?limit=1").json()["accounts"]
        assert shown["number"] == str(number)
        assert [look.subject for look in Viewing.objects.all()] == [asha]

    def test_are_asked_about_without_what_is_for_the_banks_own_use(
        self, anjali: Client, number: int
    ) -> None:
        body = {"rights": "owner", "reason": "a joint account of the two"}
        vikram = id_of(person())
        asked = call(anjali, "PUT", f"accounts/{number}/holders/{vikram}", body).json()["approval"]
        assert asked["payload"] == {"account": str(number), "user_id": vikram, **body}
        listed = call(anjali, "GET", "approvals").json()["approvals"]
        assert listed == [call(anjali, "GET", f"approvals/{asked['id']}").json()] == [asked]

    def test_need_the_permission_to_be_changed(self, number: int) -> None:
        client = client_of(admin("view_account"))
        answer = call(client, "POST", f"accounts/{number}/freeze", {"reason": "x"})
        assert problem(answer, 403) == "forbidden"


class TestAnAccount:
    def test_is_opened_once_and_closed_at_zero(self, anjali: Client, asha: User) -> None:
        body = {
            "user_id": id_of(asha),
            "branch": "HO",
            "product": "savings",
            "currency": "INR",
            "reason": "asked for",
        }
        customer_account(asha)
        first, again = (call(anjali, "POST", "accounts", body, key="o") for _ in range(2))
        assert (first.status_code, first.json()) == (201, again.json())
        opened = first.json()
        assert first.headers["Location"] == f"/api/v1/admin/accounts/{opened['number']}"
        closing = f"accounts/{opened['number']}/close"
        assert call(anjali, "GET", closing).json() == {"interest": "0.00", "currency": "INR"}
        for _ in range(2):
            closed = call(anjali, "POST", closing, {"reason": "asked for"}, key="c").json()
            assert closed == {**opened, "status": "closed"}
        with transaction.atomic():
            answer = call(anjali, "POST", closing, {"reason": "asked for"})
        assert problem(answer, 422) == "account_closed"

    def test_with_money_is_not_closed(self, anjali: Client, number: int) -> None:
        with transaction.atomic():
            answer = call(anjali, "POST", f"accounts/{number}/close", {"reason": "asked for"})
        assert problem(answer, 422) == "balance_not_zero"

    @pytest.mark.parametrize(
        ("changes", "status", "code"),
        [
            ({"branch": "XXX"}, 422, "unknown_branch"),
            ({"user_id": "12"}, 422, "invalid_user_id"),
            ({"product": "loan"}, 422, "not_a_choice"),
            ({"currency": "XAU"}, 422, "unknown_currency"),
            ({"reason": ""}, 422, "text_too_short"),
            ({"name": "a\0b"}, 422, "text_has_null"),
        ],
    )
    def test_is_not_opened_for_a_reason(
        self, anjali: Client, asha: User, changes: dict[str, str], status: int, code: str
    ) -> None:
        head_office()
        body = {
            "user_id": id_of(asha),
            "branch": "HO",
            "product": "savings",
            "currency": "INR",
            "reason": "asked for",
            **changes,
        }
        assert problem(call(anjali, "POST", "accounts", body), status) == code
        assert call(anjali, "GET", "accounts").json()["accounts"] == []

    def test_is_frozen_and_unfrozen_by_two(
        self, anjali: Client, vivek: Client, number: int
    ) -> None:
        for what, status in (("freeze", "frozen"), ("unfreeze", "open")):
            answer = call(anjali, "POST", f"accounts/{number}/{what}", {"reason": "a call"})
            assert answer.status_code == 202
            assert approved(vivek, answer.json())["state"] == "done"
            assert call(anjali, "GET", f"accounts/{number}").json()["status"] == status

    def test_gets_an_overdraft_and_limits_by_two(
        self, anjali: Client, vivek: Client, number: int
    ) -> None:
        body = {"currency": "INR", "overdraft_limit": "500.00", "reason": "agreed"}
        asked = call(anjali, "PUT", f"accounts/{number}/overdraft", body)
        assert asked.status_code == 202
        approved(vivek, asked.json())
        body = {"currency": "INR", "daily_limit": "10.00", "reason": "agreed"}
        lowered = call(anjali, "PATCH", f"accounts/{number}/limits", body).json()
        assert (lowered["daily_limit"], lowered.get("approval")) == ("10.00", None)
        raised = call(
            anjali, "PATCH", f"accounts/{number}/limits", {**body, "daily_limit": "20.00"}
        ).json()
        assert raised["daily_limit"] == "10.00"
        approved(vivek, raised["approval"])
        shown = call(anjali, "GET", f"accounts/{number}/limits").json()
        assert (shown["overdraft_limit"], shown["daily_limit"]) == ("500.00", "20.00")

    def test_gets_holders(self, anjali: Client, vivek: Client, number: int) -> None:
        vikram = person(full_name="Vikram Singh")
        address = f"accounts/{number}/holders/{id_of(vikram)}"
        body = {"rights": "authorised", "reason": "asked for"}
        shown = call(anjali, "PUT", address, body).json()["account"]
        assert {one["rights"] for one in shown["holders"]} == {"owner", "authorised"}
        asked = call(anjali, "PUT", address, {**body, "rights": "owner"}).json()
        approved(vivek, asked["approval"])
        shown = call(anjali, "GET", f"accounts/{number}").json()
        assert [one["rights"] for one in shown["holders"]] == ["owner", "owner"]
        nobody = call(anjali, "PUT", f"accounts/{number}/holders/12", body)
        assert problem(nobody, 404) == "unknown_person"

    def test_that_does_not_exist_is_not_found(self, anjali: Client) -> None:
        missing = account_number(branch=100, serial=77_777)
        limits = {"currency": "INR", "daily_limit": "1", "reason": "x"}
        for method, what, body in (
            ("GET", "", None),
            ("GET", "/limits", None),
            ("PATCH", "/limits", limits),
            ("POST", "/close", {"reason": "x"}),
            ("POST", "/freeze", {"reason": "x"}),
        ):
            answer = call(anjali, method, f"accounts/{missing}{what}", body)
            assert problem(answer, 404) == "unknown_account"


class TestOperations:
    def test_are_listed_with_filters_and_pages(
        self, anjali: Client, asha: User, number: int
    ) -> None:
        other = customer_account(person())
        for _ in range(3):
            post(Transfer(number, other, inr(100), memo="rent"), order=order(client=asha.pk))
        found = call(anjali, "GET", f"transactions?account={number}&what=transfer&limit=2").json()
        assert [one["amount"] for one in found["transactions"]] == ["1.00", "1.00"]
        assert found["transactions"][0]["by"] == "Asha Rao"
        address = f"transactions?account={number}&what=transfer&limit=2"
        rest = call(anjali, "GET", f"{address}&cursor={found['next_cursor']}").json()
        assert (len(rest["transactions"]), rest["has_more"]) == (1, False)
        everything = call(anjali, "GET", f"operations?account={number}").json()["operations"]
        assert [one["what"] for one in everything] == [
            *["transfer"] * 3,
            "deposit",
            "set_holder",
            "open",
        ]
        posted = call(anjali, "GET", f"transactions?account={number}").json()["transactions"]
        assert len(posted) == 4
        assert call(anjali, "GET", "operations?node=HO&channel=web").json()["operations"] == []
        assert Viewing.objects.filter(subject=asha, what="operations").exists()

    def test_tell_nobody_of_a_look_who_stands_on_the_next_page(
        self, anjali: Client, asha: User, number: int
    ) -> None:
        vikram, zoya = person(), person()
        theirs = [customer_account(one) for one in (vikram, zoya)]
        for other in theirs:
            post(Transfer(number, other, inr(100)), order=order(client=asha.pk))
        for listing in ("transactions", "operations"):
            (shown,) = call(anjali, "GET", f"{listing}?what=transfer&limit=1").json()[listing]
            assert shown["counterparty_account"] == str(theirs[1])
            looks = Viewing.objects.filter(what=listing)
            assert {look.subject for look in looks} == {asha, zoya}

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("node=XXX", "unknown_node"),
            ("node=default", "unknown_node"),
            ("what=theft", "not_a_choice"),
            ("account=12", "invalid_account_number"),
            ("since=yesterday", "not_an_instant"),
            ("colour=red", "unknown_field"),
        ],
    )
    def test_are_not_listed_for_a_reason(self, anjali: Client, query: str, code: str) -> None:
        assert problem(call(anjali, "GET", f"operations?{query}"), 422) == code


def id_of(user: User) -> str:
    """Return a person's user ID."""
    user.refresh_from_db()
    return str(user.number)
