"""Refusals of the API counted by their codes, all web workers together, for whoever watches."""

from contextlib import suppress
from typing import Final

from redis import RedisError

from core.cache import bank_cache

_KEY: Final = "refusals"


def count_refusal(code: str) -> None:
    """Count one; without Valkey it is not counted, and keeps nobody waiting."""
    with suppress(RedisError):
        bank_cache().tally(_KEY, code)


def refusals_by_code() -> dict[str, int]:
    """Return how many there were since Valkey began to count.

    Raises:
        RedisError
    """
    return bank_cache().tallied(_KEY)
