"""What asking the cache costs."""

from typing import Any

from core.cache import bank_cache


def test_its_client_is_made_once() -> None:
    django: Any = bank_cache()._cache  # noqa: SLF001  # what it asks by
    assert django.get_client("a") is django.get_client("b", write=True)
