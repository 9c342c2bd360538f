"""GET /health: what load balancers and `make run` go by."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django import Settings


def health(status: int) -> dict[str, str]:
    """Return the answer, which must have ``status``."""
    response = Client().get("/health")
    assert response.status_code == status
    answer: dict[str, str] = response.json()
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

    def test_is_bad_without_the_database(self) -> None:
        port = connection.settings_dict["PORT"]
        connection.settings_dict["PORT"] = "9"
        connection.close()
        try:
            assert health(503) == {"status": "down", "database": "down", "broker": "ok"}
        finally:
            connection.settings_dict["PORT"] = port
