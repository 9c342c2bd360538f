"""The registry of backends over the API."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Role
from lb.control.models import Backend, BackendEvent, BackendState
from tests.factories import person

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


class TestPage:
    def test_shows_backends_and_what_happened(self) -> None:
        meera = admin("govern_backend")
        call(meera, "POST", "backends", BODY)
        page = meera.get("/admin/servers?live=1")
        assert page.headers["Refresh"] == "5"
        text = page.content.decode()
        assert "state: registered" in text
        assert "address: 127.0.0.1:8001" in text

    def test_changes_a_weight_and_drains_unless_it_is_the_last(self) -> None:
        meera = admin("govern_backend")
        made = call(meera, "POST", "backends", BODY)[1]
        Backend.objects.update(state=BackendState.READY)
        where = f"/admin/servers/{made['id']}"
        assert b"Drain api-1" in meera.get(where).content
        assert meera.post(where, {"weight": "0"}).status_code == 422
        assert meera.post(where, {"weight": "7", "zone": ""}).headers["Location"] == (
            "/admin/servers"
        )
        assert Backend.objects.get().weight == 7
        unsaid = meera.post(where, {"drain": "1"})
        assert (unsaid.status_code, b"Say that you mean it." in unsaid.content) == (422, True)
        refused = meera.post(where, {"drain": "1", "is_meant": "on"})
        assert (refused.status_code, Backend.objects.get().state) == (409, "ready")
        other = Backend.objects.get()
        other.pk, other.name, other.port = None, "api-2", 8002
        other.save(force_insert=True)
        assert meera.post(where, {"drain": "1", "is_meant": "on"}).status_code == 302
        assert Backend.objects.get(name="api-1").state == "draining"

    def test_lets_others_look_alone(self) -> None:
        made = call(admin("govern_backend"), "POST", "backends", BODY)[1]
        reader = admin()
        assert reader.get("/admin/servers").status_code == 200
        assert reader.get(f"/admin/servers/{made['id']}").status_code == 403
        assert reader.post(f"/admin/servers/{made['id']}", {"drain": "1"}).status_code == 403
