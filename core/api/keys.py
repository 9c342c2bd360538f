"""Idempotency keys: what makes a money request safe to repeat."""

import re
from typing import Final

from rest_framework.request import Request

from core.errors import DomainError

HEADER: Final = "Idempotency-Key"
_META: Final = "HTTP_IDEMPOTENCY_KEY"
REPLAYED: Final = "Idempotency-Replayed"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class InvalidIdempotencyKey(DomainError):
    """A money request came without a usable key."""

    code = "invalid_idempotency_key"
    http_status = 400


def idempotency_key(request: Request) -> str:
    """Return the key of a money request.

    Raises:
        InvalidIdempotencyKey: it is missing, or not 1 to 255 visible ASCII characters.
    """
    key = request.META.get(_META)
    if key is None:
        message = f"Send an {HEADER} header: the same one when you repeat the same request."
        raise InvalidIdempotencyKey(message, code="idempotency_key_missing")
    if not _KEY.fullmatch(key):
        message = f"An {HEADER} has 1 to 255 visible ASCII characters."
        raise InvalidIdempotencyKey(message)
    return str(key)
