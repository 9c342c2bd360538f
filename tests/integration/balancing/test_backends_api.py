"""The registry of backends over the API."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import Settings

from accounts.models import Role
from core import clock
from lb.control.history import Notes, last_minutes
from lb.control.models import Backend, BackendEvent, BackendState
from lb.control.publishing import current_snapshot
from lb.snapshot import RateLimit
from tests.factories import person
from tests.integration.balancing.conftest import Answering

pytestmark = pytest.mark.django_db
BASE = "/api/v1/lb/"
BODY = {"name": "api-1", "host": "127.0.0.1", "port": 8001}


def admin(*may: str) -> Client:
    """Return a client of an admin with permissions."""
    found = person(role=Role.ADMIN, is_staff=True)
    found.user_permissions.set(Permission.objects.filter(codename__in=may))
    client = Client()
    client.force_login(found)
    return client


def call(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Return status and answer."""
    sent = b"" if body is None else json.dumps(body)
    answer = client.generic(method, BASE + path, sent, content_type="application/json")
    return answer.status_code, json.loads(answer.content)


def test_registers_changes_and_drains_and_tells_who_did() -> None:
    meera = admin("govern_backend")
    status, made = call(meera, "POST", "backends", {**BODY, "zone": "a", "heartbeat": True})
    assert (status, made["state"], made["weight"]) == (201, "registered", 100)
    where = f"backends/{made['id']}"
    assert call(meera, "PATCH", where, {"weight": 40})[1]["weight"] == 40
    assert call(meera, "POST", f"{where}/heartbeat")[0] == 200
    assert call(meera, "PUT", "policy", {"policy": "random"}) == (200, {"policy": "random"})
    shown = call(meera, "GET", "backends")[1]
    assert (shown["policy"], [one["name"] for one in shown["backends"]]) == ("random", ["api-1"])
    assert call(meera, "DELETE", where)[1]["state"] == "removed"
    assert call(meera, "GET", where)[1]["code"] == "unknown_backend"
    told = call(meera, "GET", "events")[1]["events"]
    assert [{one["field"] for one in event["changes"]} for event in told] == [
        {"state"},
        {"policy"},
        {"weight"},
        {"state", "place", "weight", "zone"},
    ]
    assert len({event["actor"] for event in told}) == 1


def test_limits_clients_and_lifts_the_limit() -> None:
    meera = admin("govern_backend")
    limit = {"requests_per_second": 50, "burst": 100}
    assert call(meera, "PUT", "rate-limit", limit) == (200, limit)
    assert call(meera, "GET", "backends")[1]["rate_limit"] == limit
    assert current_snapshot().rate_limit == RateLimit(requests_per_second=50, burst=100)
    assert "50 requests a second, 100 at once" in meera.get("/admin/servers").content.decode()
    assert call(meera, "PUT", "rate-limit", {**limit, "burst": 0})[0] == 422
    assert meera.delete(f"{BASE}rate-limit").status_code == 204
    assert "rate_limit" not in call(meera, "GET", "backends")[1]
    assert current_snapshot().rate_limit is None
    lifted = call(meera, "GET", "events")[1]["events"][0]
    assert {one["field"]: one["before"] for one in lifted["changes"]} == {
        "requests_per_second": "50",
        "burst": "100",
    }


def test_drains_what_serves_and_leaves_the_last() -> None:
    meera = admin("govern_backend")
    one = call(meera, "POST", "backends", BODY)[1]
    two = call(meera, "POST", "backends", {**BODY, "name": "api-2", "port": 8002})[1]
    Backend.objects.update(state=BackendState.READY)
    status, drained = call(meera, "DELETE", f"backends/{one['id']}")
    assert (status, drained["state"]) == (202, "draining")
    assert call(meera, "DELETE", f"backends/{two['id']}")[1]["code"] == "last_backend"
    assert call(meera, "PATCH", f"backends/{one['id']}", {"weight": 5})[1]["code"] == (
        "backend_leaving"
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"host": "169.254.169.254"}, "backend_address_refused"),
        ({"host": "10.0.0.1"}, "backend_address_refused"),
        ({"host": "metadata.internal"}, "not_an_ip_address"),
        ({"port": 22}, "backend_address_refused"),
        ({"port": 0}, "out_of_range"),
        ({"port": 65536}, "out_of_range"),
        ({"weight": 0}, "out_of_range"),
        ({"name": "a b"}, "invalid_backend_name"),
        ({"name": "é"}, "invalid_backend_name"),
        ({"name": "a\r\nX: y"}, "invalid_backend_name"),
        ({"state": "ready"}, "unknown_field"),
    ],
)
def test_refuses_what_is_no_backend(changes: dict[str, Any], code: str) -> None:
    status, problem = call(admin("govern_backend"), "POST", "backends", {**BODY, **changes})
    assert (status, problem["code"]) == (422, code)
    assert not Backend.objects.exists()
    assert not BackendEvent.objects.exists()


def test_lets_admins_without_the_permission_look_alone() -> None:
    reader = admin()
    assert call(reader, "GET", "backends")[0] == 200
    assert call(reader, "POST", "backends", BODY)[0] == 403
    assert call(reader, "PUT", "policy", {"policy": "random"})[0] == 403
    assert not Backend.objects.exists()


def note_of(answerer: Answering, *, seconds_ago: int, counts: tuple[int, int]) -> None:
    """Note what a data plane measured of two backends, whose answers took 10 ms at most."""
    samples = (
        f'lb_backend_seconds_count{{backend="api-{number}"}} {count}\n'
        f'lb_backend_seconds_bucket{{backend="api-{number}",le="0.01"}} {count}\n'
        for number, count in enumerate(counts, start=1)
    )
    answerer.name = "".join(samples).encode()
    Notes().note(clock.now() - timedelta(seconds=seconds_ago))


class TestPage:
    def test_shows_backends_and_what_happened(self) -> None:
        meera = admin("govern_backend")
        call(meera, "POST", "backends", BODY)
        page = meera.get("/admin/servers?live=1")
        assert page.headers["Refresh"] == "5"
        text = page.content.decode()
        assert "state: registered" in text
        assert "address: 127.0.0.1:8001" in text

    def test_shows_what_happened_before_page_by_page(self) -> None:
        meera = admin("govern_backend")
        made = call(meera, "POST", "backends", BODY)[1]
        for weight in range(1, 25):
            call(meera, "PATCH", f"backends/{made['id']}", {"weight": weight})
        newest = meera.get("/admin/servers").content.decode()
        assert "weight: 23 → 24" in newest
        assert "state: registered" not in newest
        (older,) = re.findall(r'href="(\?before=\d+)"', newest)
        oldest = meera.get(f"/admin/servers{older}").content.decode()
        assert "state: registered" in oldest
        assert 'href="?before=' not in oldest
        assert meera.get("/admin/servers?before=x1").status_code == 200

    def test_changes_a_weight_and_drains_unless_it_is_the_last(self) -> None:
        meera = admin("govern_backend")
        made = call(meera, "POST", "backends", BODY)[1]
        Backend.objects.update(state=BackendState.READY)
        where = f"/admin/servers/{made['id']}"
        assert b"Drain api-1" in meera.get(where).content
        assert meera.post(where, {"weight": "0"}).status_code == 422
        asked = {"weight": "7", "zone": "mumbai-b"}
        assert b"Change api-1?" in meera.post(where, asked).content
        assert Backend.objects.get().weight == 100
        assert meera.post(where, {**asked, "sure": "1"}).headers["Location"] == "/admin/servers"
        assert (Backend.objects.get().weight, Backend.objects.get().zone) == (7, "mumbai-b")
        unsaid = meera.post(where, {"drain": "1"})
        assert (unsaid.status_code, b"Say that you mean it." in unsaid.content) == (422, True)
        refused = meera.post(where, {"drain": "1", "is_meant": "on"})
        assert (refused.status_code, Backend.objects.get().state) == (409, "ready")
        other = Backend.objects.get()
        other.pk, other.name, other.port = None, "api-2", 8002
        other.save(force_insert=True)
        assert meera.post(where, {"drain": "1", "is_meant": "on"}).status_code == 302
        assert Backend.objects.get(name="api-1").state == "draining"

    def test_draws_what_was_measured_in_the_last_minutes(
        self, answerer: Answering, settings: Settings
    ) -> None:
        settings.BALANCER_METRICS = [f"http://127.0.0.1:{answerer.port}/metrics"]
        note_of(answerer, seconds_ago=30, counts=(900, 900))
        note_of(answerer, seconds_ago=20, counts=(10, 10))
        note_of(answerer, seconds_ago=10, counts=(40, 20))
        began, went = last_minutes(clock.now())
        assert (began.share("api-1"), began.requests) == (50, 20)
        assert (went.share("api-1"), went.p99("api-1")) == (75, 10)
        text = admin().get("/admin/servers").content.decode()
        assert re.search(r'class="line-2" d="M58.0 \S+L58.0 \S+L400.0 \S+"', text)
        assert re.search(r"api-1\s*<strong>75 %</strong>", text)
        assert re.search(r"75 %\s*·\s*≤ 10 ms", text)

    def test_lets_others_look_alone(self) -> None:
        made = call(admin("govern_backend"), "POST", "backends", BODY)[1]
        reader = admin()
        assert reader.get("/admin/servers").status_code == 200
        assert reader.get(f"/admin/servers/{made['id']}").status_code == 403
        assert reader.post(f"/admin/servers/{made['id']}", {"drain": "1"}).status_code == 403
