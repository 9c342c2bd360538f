"""GET /health: what load balancers and `make run` go by."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from lb.control.models import Backend
from tests.factories import instant


def health(status: int) -> dict[str, Any]:
    """Return the answer, which must have ``status``."""
    response = Client().get("/health")
    assert response.status_code == status
    answer: dict[str, Any] = response.json()
    return answer


@pytest.mark.usefixtures("fresh_bank")
class TestHealth:
    def test_is_good_when_everything_answers(self) -> None:
        assert health(200) == {"status": "ok", "database": "ok", "broker": "ok"}

    def test_is_good_without_the_broker(self, settings: Settings) -> None:
        nowhere = {"LOCATION": "redis://127.0.0.1:9/0"}
        settings.CACHES = {"default": {**settings.CACHES["default"], **nowhere}}
        assert health(200) == {"status": "ok", "database": "ok", "broker": "down"}
        cache.close()

    def test_tells_which_backends_are_up(self) -> None:
        common = {"host": "127.0.0.1", "state_since": instant(), "registered_at": instant()}
        for port, (state, is_up) in enumerate(
            [("ready", True), ("warming", False), ("draining", True)], start=8_001
        ):
            Backend.objects.create(name=f"{port}", port=port, state=state, is_up=is_up, **common)
        assert health(200)["backends"] == {"8001": "up", "8002": "down"}

    def test_asks_in_the_name_of_its_request(self) -> None:
        asking = str(uuid4())
        with CaptureQueriesContext(connection) as asked:
            Client().get("/health", headers={"X-Request-ID": asking})
        statements = [one["sql"] for one in asked.captured_queries]
        assert statements
        assert all(one.startswith(f"/* request {asking} */ ") for one in statements), statements
        with CaptureQueriesContext(connection) as asked, connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        assert [one["sql"] for one in asked.captured_queries] == ["SELECT 1"]

    def test_is_bad_without_the_database(self) -> None:
        port = connection.settings_dict["PORT"]
        connection.settings_dict["PORT"] = "9"
        connection.close()
        try:
            assert health(503) == {"status": "down", "database": "down", "broker": "ok"}
        finally:
            connection.settings_dict["PORT"] = port
