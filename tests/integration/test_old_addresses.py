"""The addresses that programs of the bank's first servers know: they go on working."""

import json
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.models import Branch, User
from tests.factories import account, person

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"
NEW = {
    "email": "meera@example.org",
    "password": "violet umbrella on the pier",
    "full_name": "Meera Iyer",
}


@pytest.fixture(autouse=True)
def mails(settings: Settings) -> None:
    """Keep mails where the test finds them, and have a branch to join."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Branch.objects.get_or_create(number=100, defaults={"code": "HO", "name": "Head office"})


@pytest.fixture
def asha() -> User:
    """Give a customer who can log in."""
    somebody = person()
    EmailAddress.objects.create(user=somebody, email=somebody.email, verified=True, primary=True)
    return somebody


def send(path: str, body: object) -> Any:
    """Send JSON, as somebody unknown who takes every cookie for a sign of a browser."""
    client = Client(enforce_csrf_checks=True)
    return client.post(path, json.dumps(body), content_type="application/json")


class TestLogIn:
    def test_a_form_of_a_program_gets_a_session(self, asha: User) -> None:
        client = Client(enforce_csrf_checks=True)
        answer = client.post("/login", {"username": asha.email, "password": PASSWORD})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
        assert client.get("/api/get-balance").status_code == 404
        assert "sessionid" in client.cookies

    def test_a_wrong_password_gets_the_page(self, asha: User) -> None:
        answer = Client().post("/login", {"email": asha.email, "password": "wrong"})
        assert answer.status_code == 200
        assert b"Log in" in answer.content

    @pytest.mark.parametrize(
        "headers",
        [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Cookie": "a=b"}],
    )
    def test_a_form_on_another_site_logs_nobody_in(
        self, asha: User, headers: dict[str, str]
    ) -> None:
        client = Client(enforce_csrf_checks=True)
        form = {"username": asha.email, "password": PASSWORD}
        answer = client.post("/login", form, headers=headers)
        assert answer.status_code == 403
        assert "sessionid" not in client.cookies

    def test_json_gets_tokens_and_no_cookie(self, asha: User) -> None:
        answer = send("/login", {"email": asha.email, "password": PASSWORD})
        assert answer.status_code == 200
        assert {"access_token", "refresh_token"} <= answer.json().keys()
        assert not answer.cookies
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert Client().get("/api/v1/me", headers=headers).status_code == 200

    def test_json_is_asked_for_the_second_factor_too(self, asha: User) -> None:
        TOTP.activate(asha, generate_totp_secret())
        answer = send("/login", {"email": asha.email, "password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (401, "mfa_required")
        assert not answer.cookies

    def test_a_browser_that_comes_by_gets_the_page(self) -> None:
        assert Client().get("/login").headers["Location"] == "/auth/login/"
        assert Client().get("/register").headers["Location"] == "/auth/signup/"


class TestRegister:
    @pytest.mark.parametrize("path", ["/register", "/api/v1/auth/register"])
    def test_json_waits_for_the_address_to_be_verified(self, path: str) -> None:
        answer = send(path, NEW)
        assert answer.status_code == 202, answer.content
        assert answer.json() == {"email": NEW["email"], "status": "email_to_be_verified"}
        assert not answer.cookies
        assert NEW["email"] in mail.outbox[-1].to
        found = User.objects.get(email=NEW["email"])
        assert (found.full_name, found.role) == ("Meera Iyer", "customer")
        refused = send("/login", {"email": NEW["email"], "password": NEW["password"]})
        assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")

    def test_a_form_gets_the_page_that_says_so(self) -> None:
        form = {"username": NEW["email"], "password": NEW["password"], "name": NEW["full_name"]}
        answer = Client(enforce_csrf_checks=True).post("/register", form)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/auth/confirm-email/")
        assert User.objects.filter(email=NEW["email"]).exists()

    def test_an_address_that_is_known_is_answered_alike(self, asha: User) -> None:
        answer = send("/register", {**NEW, "email": str(asha.email)})
        assert answer.status_code == 202
        assert User.objects.filter(email=asha.email).count() == 1

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            ("password", "short", "password_too_short"),
            ("email", "no address", "invalid"),
            ("full_name", "a\u202eb", "text_has_format"),
            ("branch", "XX", "invalid_choice"),
        ],
    )
    def test_what_is_not_right_is_named(self, field: str, value: str, code: str) -> None:
        Branch.objects.get_or_create(number=200, defaults={"code": "MUM", "name": "Mumbai"})
        answer = send("/register", {**NEW, field: value})
        assert answer.status_code == 422
        assert {"pointer": f"/{field}", "code": code}.items() <= answer.json()["errors"][0].items()
        assert not User.objects.filter(email=NEW["email"]).exists()


class TestReading:
    @pytest.fixture
    def client(self, asha: User) -> Client:
        """Give a client that the customer is logged in with."""
        client = Client()
        client.force_login(asha)
        return client

    def test_the_first_account_is_meant_unless_another_is_named(
        self, asha: User, client: Client
    ) -> None:
        first, second = account(balance=125_050, owner=asha), account(balance=7, owner=asha)
        shown = client.get("/api/get-balance").json()
        assert shown == {"balance": "1250.50", "currency": "INR"}
        assert client.get("/api/get-balance", {"account": str(second)}).json()["balance"] == "0.07"
        listed = client.get("/api/get-user-transactions", {"account": str(first)}).json()
        assert [one["amount"] for one in listed["transactions"]] == ["1250.50"]
        assert client.get("/api/get-last-5-transactions").json() == listed

    def test_somebody_else_s_account_does_not_exist(self, client: Client) -> None:
        other = account(balance=100, owner=person())
        for path in ("get-balance", "get-user-transactions", "get-last-5-transactions"):
            answer = client.get(f"/api/{path}", {"account": str(other)})
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_account")
            assert Client().get(f"/api/{path}").status_code == 401

    def test_the_openapi_promises_none_of_them(self, client: Client) -> None:
        paths = client.get("/api/v1/openapi.json").json()["paths"]
        assert all(path.startswith("/api/v1/") for path in paths)


class TestPages:
    @pytest.fixture
    def client(self, asha: User) -> Client:
        """Give a browser that the customer is logged in with."""
        client = Client(enforce_csrf_checks=True)
        client.force_login(asha)
        return client

    @pytest.mark.parametrize(
        ("old", "today"),
        [
            ("/home", "/"),
            ("/accounts", "/accounts/"),
            ("/make_transactions", "/transfers/new/"),
            ("/transactions", "/accounts/{number}/"),
        ],
    )
    def test_lead_customers_to_where_the_same_is_today(
        self, asha: User, client: Client, old: str, today: str
    ) -> None:
        number = account(owner=asha, balance=100)
        answer = client.get(old, follow=True)
        assert answer.status_code == 200
        assert answer.redirect_chain[-1][0] == today.format(number=number)

    def test_lead_who_has_no_account_to_where_they_see_it(self, client: Client) -> None:
        assert client.get("/transactions").headers["Location"] == "/accounts/"

    def test_lead_nobody_who_is_not_logged_in(self) -> None:
        for old in ("/home", "/accounts", "/transactions", "/make_transactions"):
            answer = Client().get(old, follow=True)
            assert answer.redirect_chain[-1][0].startswith("/auth/login/")

    def test_log_nobody_out_by_a_link(self, client: Client) -> None:
        page = client.get("/logout")
        assert b"<button" in page.content
        assert client.get("/profile/").status_code == 200
        assert client.post("/logout").status_code == 403
        token = client.cookies["csrftoken"].value
        client.post("/logout", {"csrfmiddlewaretoken": token})
        assert client.get("/profile/").status_code == 302
