"""Opaque cursors: where a listing goes on. They are signed, and good for one account only."""

from typing import Final
from uuid import UUID

from django.core import signing

from core.errors import DomainError

_SALT: Final = "statement"


class InvalidCursor(DomainError):
    """A cursor was not given out by this bank for this listing."""

    code = "invalid_cursor"
    http_status = 400


def cursor_after(account: int, *, last: UUID) -> str:
    """Return the cursor for what comes after the entry ``last``."""
    return signing.dumps([account, last.hex], salt=_SALT)


def read_cursor(text: str, *, account: int) -> UUID:
    """Return the entry after which a listing goes on.

    Raises:
        InvalidCursor
    """
    try:
        owner, last = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        owner, last = None, ""
    if owner != account:
        message = "This cursor does not belong to this statement; start without one."
        raise InvalidCursor(message)
    return UUID(last)
