"""Requests that the bank sends on to the backend that the balancer would pick, and no other."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from lb.control import passing_on
from lb.control.models import Backend, BackendState
from tests.factories import person, token_of
from tests.integration.balancing.conftest import Answering, answering, registered

pytestmark = pytest.mark.django_db
ASKED = {"method": "GET", "path": "/api/v1/accounts?limit=1"}


def serve(answerer: Answering, **asked: Any) -> None:
    """Have a backend that takes requests."""
    one = registered(answerer.port, **asked)
    Backend.objects.filter(pk=one.pk).update(state=BackendState.READY, is_up=True)


def send(body: Any, token: str | None = None, **fields: str) -> Any:
    """Send a request to be passed on."""
    shown = {"Authorization": f"Bearer {token or token_of(person())}"}
    client = Client(headers={**shown, **fields}, enforce_csrf_checks=True)
    return client.post("/request", json.dumps(body), content_type="application/json")


def test_reach_it_with_the_callers_key_and_address_and_come_back_as_they_are(
    answerer: Answering, settings: Settings
) -> None:
    settings.TRUSTED_PROXY_COUNT, settings.BACKEND_SECRET = 1, "known to backends"
    serve(answerer, name="api-1")
    answerer.name, answerer.status = b'{"seen": true}', 404
    token = token_of(person())
    fields = {
        "X-Forwarded-For": "198.51.100.7",
        "Idempotency-Key": "k",
        "Cookie": "a=b",
        "X-Backend-Secret": "known to backends",
    }
    answer = send(ASKED, token, **fields)
    assert (answer.status_code, answer.content) == (404, b'{"seen": true}')
    assert answer.headers["X-Backend"] == "api-1"
    seen = dict(answerer.headers)
    assert (seen["Authorization"], seen["Idempotency-Key"]) == (f"Bearer {token}", "k")
    assert (seen["X-Forwarded-For"], seen["X-Backend-Secret"]) == (
        "198.51.100.7",
        "known to backends",
    )
    assert "Cookie" not in seen


@pytest.mark.parametrize(
    "path",
    [
        *("/health", "/api/v1", "api/v1/accounts", "//evil.example/api/v1/", "/admin/"),
        *(
            "http://evil.example/api/v1/",
            "/api/v1/a b",
            "/api/v1/a\r\nX: y",
            "/api/v1/#",
            "/api/v1/é",
        ),
    ],
)
def test_are_of_the_api_alone(answerer: Answering, path: str) -> None:
    serve(answerer)
    before = answerer.headers
    answer = send({**ASKED, "path": path})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "not_a_path")
    assert answerer.headers is before


def test_need_a_key_of_their_own(answerer: Answering) -> None:
    serve(answerer)
    assert send(ASKED, "wrong").status_code == 401
    client = Client()
    client.force_login(person())
    sent = client.post("/request", json.dumps(ASKED), content_type="application/json")
    assert sent.status_code == 401


def test_go_to_the_backend_that_costs_least(answerer: Answering, settings: Settings) -> None:
    with answering() as other:
        serve(answerer, name="slow")
        serve(other, name="fast")
        with answering() as plane:
            settings.BALANCER_METRICS = [f"http://127.0.0.1:{plane.port}/metrics"]
            plane.name = (
                b'lb_backend_cost{backend="slow"} 2.5\nlb_backend_cost{backend="fast"} 0.4\n'
            )
            assert {send(ASKED).headers["X-Backend"] for _ in range(4)} == {"fast"}
            Backend.objects.filter(name="fast").update(is_up=False)
            assert send(ASKED).headers["X-Backend"] == "slow"


def test_without_a_backend_that_answers_are_refused(
    answerer: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (send(ASKED).status_code, send(ASKED).json()["code"]) == (503, "no_backend")
    serve(answerer)
    Backend.objects.update(port=1_999)
    assert (send(ASKED).status_code, send(ASKED).json()["code"]) == (502, "backend_broken")
    for _turn in range(passing_on.MOST_AT_ONCE):
        assert passing_on._turns.acquire(blocking=False)  # noqa: SLF001  # as others would
    busy = send(ASKED)
    passing_on._turns.release(passing_on.MOST_AT_ONCE)  # noqa: SLF001  # as others would
    assert (busy.status_code, busy.json()["code"]) == (503, "busy")
    monkeypatch.setattr(passing_on, "_MOST_BYTES", 3)
    Backend.objects.update(port=answerer.port)
    answerer.name = b"long"
    assert send(ASKED).status_code == 502


def test_of_farewell_drain_a_backend(answerer: Answering) -> None:
    serve(answerer)
    found = Backend.objects.get()
    root = person(role="admin", is_staff=True, is_superuser=True)
    fields = {"Authorization": f"Bearer {token_of(root)}"}
    body = {"backend": str(found.pk)}

    def ask() -> Any:
        client = Client(headers=fields)
        return client.post("/deregister", json.dumps(body), content_type="application/json")

    assert (ask().status_code, ask().json()["code"]) == (409, "last_backend")
    registered(answerer.port + 1)
    Backend.objects.exclude(pk=found.pk).update(state=BackendState.READY)
    assert (ask().status_code, Backend.objects.get(pk=found.pk).state) == (202, "draining")


class TestBehindABalancer:
    def test_a_web_worker_serves_nobody_else(self, settings: Settings) -> None:
        settings.BACKEND_SECRET = "known to backends"
        client = Client()
        refused = client.get("/")
        assert (refused.status_code, refused.json()["code"]) == (403, "past_the_balancer")
        assert client.get("/api/v1/accounts").json()["code"] == "past_the_balancer"
        for wrong in ("", "known", "é", "known to backends, known to backends"):
            assert client.get("/", headers={"X-Backend-Secret": wrong}).status_code == 403
        known = {"X-Backend-Secret": "known to backends"}
        assert client.get("/api/v1/accounts", headers=known).json()["code"] == "not_authenticated"

    def test_health_is_told_to_everybody(self, settings: Settings) -> None:
        settings.BACKEND_SECRET = "known to backends"
        assert Client().get("/health").status_code == 200
