"""Webhooks over the API."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User, Viewing
from core.clock import now
from notifications.webhooks.models import Delivery, Endpoint
from notifications.webhooks.sending import send_due
from tests.integration.webhooks.conftest import Registering, happen, listener
from tests.receiver import Receiver, Reply

pytestmark = pytest.mark.django_db
BASE = "/api/v1/webhooks"


class Caller:
    """A person who calls the API."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._client = Client()
        self._client.force_login(user)

    def __call__(
        self, method: str, path: str = "", body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """Return status and answer."""
        answer = self._client.generic(
            method,
            BASE + path,
            b"" if body is None else json.dumps(body),
            content_type="application/json",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        return answer.status_code, json.loads(answer.content) if answer.content else None


@pytest.fixture
def asha() -> Caller:
    return Caller(listener())


@pytest.fixture
def ravi() -> Caller:
    return Caller(listener())


@pytest.fixture
def no_step_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new endpoints through; how a code is asked for is the door's, and tested there."""
    monkeypatch.setattr("accounts.webhooks.require_step_up", lambda *_a, **_o: None)


def body_for(receiver: Receiver, **changes: Any) -> dict[str, Any]:
    return {"url": receiver.address, "event_types": ["transfer.credited"], **changes}


class TestRegistering:
    def test_needs_a_code_first(self, asha: Caller, receiver: Receiver) -> None:
        status, problem = asha("POST", body=body_for(receiver))
        assert (status, problem["code"]) == (403, "step_up_required")
        assert not Endpoint.objects.exists()

    @pytest.mark.usefixtures("no_step_up")
    def test_shows_the_secret_once(self, asha: Caller, receiver: Receiver) -> None:
        status, made = asha("POST", body=body_for(receiver))
        assert status == 201
        assert made["secret"].startswith("whsec_")
        assert made["state"] == "enabled"
        _status, listed = asha("GET")
        assert listed == {"webhooks": [{n: v for n, v in made.items() if n != "secret"}]}
        assert asha("GET", f"/{made['id']}") == (200, listed["webhooks"][0])

    @pytest.mark.usefixtures("no_step_up")
    @pytest.mark.parametrize(
        ("changes", "pointer", "code"),
        [
            ({"url": "https://127.0.0.1/"}, "/url", "address_not_public"),
            ({"url": "https://169.254.169.254/"}, "/url", "address_not_public"),
            ({"url": "https://2130706433/"}, "/url", "address_invalid"),
            ({"url": "http://example.org/"}, "/url", "address_not_https"),
            ({"url": "https://u:p@example.org/"}, "/url", "address_has_user"),
            ({"url": "https://example.org:22/"}, "/url", "address_port_refused"),
            ({"url": "https://nobody.invalid/"}, "/url", "address_host_unknown"),
            ({"url": 7}, "/url", "not_a_string"),
            ({"event_types": []}, "/event_types", "min_length"),
            ({"event_types": ["transfer.made_up"]}, "/event_types/0", "not_a_choice"),
            ({"event_types": "transfer.credited"}, "/event_types", "not_a_list"),
            ({"owner": 1}, "/owner", "unknown_field"),
            ({"secret": "whsec_AAAA"}, "/secret", "unknown_field"),
        ],
    )
    def test_refuses_what_is_not_right(
        self,
        asha: Caller,
        settings: Settings,
        changes: dict[str, Any],
        pointer: str,
        code: str,
    ) -> None:
        settings.ALLOW_PRIVATE_ADDRESSES = settings.ALLOW_PLAINTEXT = False
        body = {"url": "https://8.8.8.8/", "event_types": ["hold.placed"], **changes}
        status, problem = asha("POST", body=body)
        assert status == 422
        assert problem["errors"][0]["code"] == code
        assert problem["errors"][0]["pointer"] == pointer
        assert not Endpoint.objects.exists()

    @pytest.mark.usefixtures("no_step_up")
    def test_is_once_for_each_address_and_bounded(self, asha: Caller, receiver: Receiver) -> None:
        for number in range(16):
            status, _made = asha(
                "POST", body=body_for(receiver, url=f"{receiver.address}/{number}")
            )
            assert status == 201
        status, problem = asha("POST", body=body_for(receiver, url=f"{receiver.address}/3"))
        assert (status, problem["code"]) == (409, "webhook_exists")
        status, problem = asha("POST", body=body_for(receiver))
        assert (status, problem["code"]) == (409, "too_many_webhooks")


class TestEndpoint:
    def test_is_changed_disabled_and_deleted(self, asha: Caller, register: Registering) -> None:
        path = f"/{register(asha.user).endpoint.pk}"
        status, changed = asha("PATCH", path, {"event_types": ["hold.placed"], "enabled": False})
        assert (status, changed["event_types"], changed["state"]) == (
            200,
            ["hold.placed"],
            "disabled",
        )
        status, problem = asha("POST", f"{path}/test")
        assert (status, problem["code"]) == (409, "webhook_disabled")
        assert asha("PATCH", path, {"enabled": True})[1]["state"] == "enabled"
        assert asha("PATCH", path, {})[1]["event_types"] == ["hold.placed"]
        status, problem = asha("PATCH", path, {"url": "https://example.org/"})
        assert (status, problem["errors"][0]["pointer"]) == (422, "/url")
        assert asha("DELETE", path) == (204, None)
        assert asha("GET", path)[0] == 404

    def test_gets_a_new_secret(self, asha: Caller, register: Registering) -> None:
        new = register(asha.user)
        status, rotated = asha("POST", f"/{new.endpoint.pk}/rotate-secret")
        assert status == 200
        assert rotated["secret"] != new.secret

    def test_of_somebody_else_does_not_exist(
        self, asha: Caller, ravi: Caller, register: Registering
    ) -> None:
        path = f"/{register(asha.user).endpoint.pk}"
        happen(asha.user)
        delivery = Delivery.objects.get()
        for method, address, body in (
            ("GET", path, None),
            ("PATCH", path, {"enabled": False}),
            ("DELETE", path, None),
            ("POST", f"{path}/rotate-secret", None),
            ("POST", f"{path}/test", None),
            ("GET", f"{path}/deliveries", None),
            ("POST", f"/deliveries/{delivery.pk}/redeliver", None),
        ):
            assert ravi(method, address, body)[0] == 404, (method, address)
        assert ravi("GET") == (200, {"webhooks": []})
        assert Endpoint.objects.get().state == "enabled"


class TestDeliveries:
    def test_are_shown_with_every_attempt_and_sent_again(
        self, asha: Caller, register: Registering, receiver: Receiver
    ) -> None:
        path = f"/{register(asha.user).endpoint.pk}"
        happen(asha.user)
        receiver.answering = lambda _message: Reply(status=500, body=b"down")
        send_due(clock=now, seconds=5)
        status, page = asha("GET", f"{path}/deliveries")
        assert status == 200
        (delivery,) = page["deliveries"]
        assert delivery["state"] == "pending"
        assert delivery["event_type"] == "transfer.credited"
        (attempt,) = delivery["attempts"]
        assert (attempt["status"], attempt["excerpt"]) == (500, "down")
        receiver.answering = lambda _message: Reply()
        again = f"/deliveries/{delivery['id']}/redeliver"
        assert asha("POST", again)[0] == 202
        send_due(clock=now, seconds=5)
        _status, page = asha("GET", f"{path}/deliveries")
        assert [one["state"] for one in page["deliveries"]] == ["delivered"]
        status, sent = asha("POST", again)
        assert (status, sent["state"], sent["event"]) == (202, "pending", delivery["event"])

    def test_come_in_pages(self, asha: Caller, ravi: Caller, register: Registering) -> None:
        path = f"/{register(asha.user).endpoint.pk}/deliveries"
        for _each in range(3):
            happen(asha.user)
        _status, first = asha("GET", f"{path}?limit=2")
        assert (len(first["deliveries"]), first["has_more"]) == (2, True)
        _status, last = asha("GET", f"{path}?limit=2&cursor={first['next_cursor']}")
        assert (len(last["deliveries"]), last["has_more"]) == (1, False)
        assert asha("GET", f"{path}?limit=2&cursor={first['next_cursor'][:-1]}x")[0] == 400
        theirs = f"/{register(ravi.user, path='/r').endpoint.pk}/deliveries"
        assert ravi("GET", f"{theirs}?cursor={first['next_cursor']}")[0] == 400

    def test_of_a_test_are_sent_at_once(
        self, asha: Caller, register: Registering, receiver: Receiver
    ) -> None:
        status, sent = asha("POST", f"/{register(asha.user).endpoint.pk}/test")
        assert (status, sent["event_type"]) == (202, "webhook.test")
        send_due(clock=now, seconds=5)
        assert receiver.messages[0].id == sent["event"]


class TestAdmin:
    @pytest.fixture
    def admin(self) -> Client:
        client = Client()
        client.force_login(
            User.objects.create_superuser("boss@example.org", "x" * 20, full_name="Boss")
        )
        return client

    def test_shows_deliveries_without_secrets_and_tells_whose(
        self, admin: Client, asha: Caller, register: Registering
    ) -> None:
        new = register(asha.user)
        happen(asha.user)
        delivery = Delivery.objects.get()
        for address in (
            "/admin/notifications/endpoint/",
            f"/admin/notifications/endpoint/{new.endpoint.pk}/change/",
            "/admin/notifications/delivery/",
            f"/admin/notifications/delivery/{delivery.pk}/change/",
        ):
            answer = admin.get(address)
            assert answer.status_code == 200
            assert b"whsec" not in answer.content
        looks = Viewing.objects.filter(subject=asha.user).values_list("what", flat=True)
        assert set(looks) == {"webhook", "list of webhooks"}

    def test_sends_deliveries_again(
        self, admin: Client, asha: Caller, register: Registering, receiver: Receiver
    ) -> None:
        register(asha.user)
        happen(asha.user)
        send_due(clock=now, seconds=5)
        chosen = {"action": "redeliver", "_selected_action": [str(Delivery.objects.get().pk)]}
        assert admin.post("/admin/notifications/delivery/", chosen).status_code == 302
        send_due(clock=now, seconds=5)
        assert len({message.id for message in receiver.messages}) == 1
        assert len(receiver.messages) == 2
