"""How many requests a caller may send: told to everyone, counted together, and never in the way."""

from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core.api import rate_limits
from tests.factories import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def narrow_limit(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let callers send five and addresses one, in a window that does not end meanwhile."""
    settings.API_RATE_LIMIT = 5
    monkeypatch.setattr(rate_limits, "time", lambda: 1_000_003.0)


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


def client_of(user: User, address: str = "198.51.100.7") -> Client:
    """Return a client that somebody is logged in with."""
    client = Client(REMOTE_ADDR=address)
    client.force_login(user)
    return client


def left_of(answer: Any) -> str:
    """Return what an answer says is left."""
    return str(answer.headers["RateLimit"])


def unknown_address() -> str:
    """Return an address that nothing was counted for."""
    return f"2001:db8::{uuid4().hex[:4]}:{uuid4().hex[:4]}"


def test_each_answer_tells_the_policy_and_what_is_left(asha: User) -> None:
    client = client_of(asha)
    first, second = (client.get("/api/v1/accounts") for _time in range(2))
    assert first.headers["RateLimit-Policy"] == '"caller";q=5;w=10'
    assert left_of(first) == '"caller";r=4;t=7'
    assert left_of(second) == '"caller";r=3;t=7'


def test_one_too_many_is_refused_with_the_time_to_wait(asha: User) -> None:
    # From two addresses, as two workers might see them: the person counts.
    clients = [client_of(asha), client_of(asha, "198.51.100.8")]
    answers = [clients[turn % 2].get("/api/v1/accounts") for turn in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert answers[-1].headers["Retry-After"] == "7"
    assert left_of(answers[-1]) == '"caller";r=0;t=7'
    assert answers[-1].json()["code"] == "too_many_requests"


def test_what_is_refused_counts_too(asha: User) -> None:
    client = client_of(asha)
    answers = [client.get("/api/v1/accounts/nonsense") for _time in range(6)]
    assert [answer.status_code for answer in answers] == [404] * 5 + [429]


def test_one_caller_takes_nothing_from_another(asha: User) -> None:
    answers = [client_of(asha).get("/api/v1/accounts") for _time in range(6)]
    assert answers[-1].status_code == 429
    assert client_of(person()).get("/api/v1/accounts").status_code == 200


def test_who_is_unknown_is_counted_by_address_whatever_token_they_try() -> None:
    client = Client(REMOTE_ADDR=unknown_address())
    guesses = [{"Authorization": f"Bearer {uuid4()}"} for _time in range(2)]
    answers = [client.get("/api/v1/accounts", headers=guess) for guess in guesses]
    assert [answer.status_code for answer in answers] == [401, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"address";q=1;w=10'
    elsewhere = Client(REMOTE_ADDR=unknown_address())
    assert elsewhere.get("/api/v1/accounts").status_code == 401


def test_a_new_window_begins_anew(asha: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of(asha)
    assert [client.get("/api/v1/accounts").status_code for _time in range(6)][-1] == 429
    monkeypatch.setattr(rate_limits, "time", lambda: 1_000_010.0)
    assert left_of(client.get("/api/v1/accounts")) == '"caller";r=4;t=10'


def test_without_valkey_requests_pass_and_nothing_waits_for_it(
    asha: User, settings: Settings
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:9/{uuid4().int % 16}"
    client = client_of(asha)
    answers = [client.get("/api/v1/accounts") for _time in range(7)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("RateLimit" in answer.headers for answer in answers)


def test_processes_count_in_lots_and_refuse_nobody_too_early() -> None:
    window, whom = 7, f"caller:{uuid4()}"
    one, other = (rate_limits.Counter(django_settings.REDIS_URL) for _process in range(2))

    def number(counter: rate_limits.Counter) -> int | None:
        return counter.count(whom, window=window, most=300)

    assert [number(one), number(other), number(one), number(one), number(one)] == [1, 4, 2, 3, 7]
    numbers = [number(one) for _request in range(296)]
    assert max(filter(None, numbers[:293])) == 300
    assert (numbers[-1], number(other), number(other), number(other)) == (303, 5, 6, 304)
