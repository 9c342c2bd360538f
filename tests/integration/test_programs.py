"""Requests that show a token: answered without what serves browsers, and just as safely."""

import json

import pytest
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.test import Client

from accounts.models import User
from tests.factories import account, person, token_of
from transactions.api import accounts as accounts_api

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha() -> User:
    """Give a customer with an account."""
    user = person()
    account(owner=user, balance=100)
    return user


@pytest.fixture
def program(asha: User) -> Client:
    """Give a client that shows the customer's token."""
    return Client(
        raise_request_exception=False, headers={"Authorization": f"Bearer {token_of(asha)}"}
    )


def test_get_no_cookies_and_the_headers_that_keep_answers_safe(program: Client) -> None:
    answer = program.get("/api/v1/accounts")
    assert answer.status_code == 200
    assert not answer.cookies
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Request-ID" in answer.headers


def test_look_at_no_session(program: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_self: SessionMiddleware, _request: HttpRequest) -> None:
        message = "looked for a session"
        raise AssertionError(message)

    program.force_login(person())
    monkeypatch.setattr(SessionMiddleware, "process_request", fail)
    assert program.get("/api/v1/accounts").status_code == 200


def test_with_a_bad_token_are_refused_whatever_session_they_have(asha: User) -> None:
    client = Client(headers={"Authorization": "Bearer none"})
    client.force_login(asha)
    assert client.get("/api/v1/accounts").status_code == 401


def test_to_another_host_are_refused(program: Client) -> None:
    answer = program.get("/api/v1/accounts", headers={"Host": "bank.example.com"})
    assert answer.status_code == 400


def test_to_an_unknown_address_get_a_problem(program: Client) -> None:
    answer = program.get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_that_fail_are_logged_with_their_cause_and_tell_nothing_of_it(
    program: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_user: int) -> None:
        message = "a secret of the bank's"
        raise RuntimeError(message)

    monkeypatch.setattr(accounts_api, "accounts_of", fail)
    answer = program.get("/api/v1/accounts")
    assert answer.status_code == 500
    assert b"secret" not in answer.content
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (failed,) = [line for line in lines if line["event"] == "request_failed"]
    assert failed["request_id"] == answer.headers["X-Request-ID"] == answer.json()["request_id"]
    assert "RuntimeError: a secret of the bank's" in failed["exception"]
    assert not [line for line in lines if line["event"] == "request_finished"]
