"""Opaque cursors: where a listing goes on. They are signed, and good for one listing only."""

from typing import Any, Final

from django.core import signing
from django.utils.translation import gettext as _

from core.errors import DomainError

_SALT: Final = "cursor of "


class InvalidCursor(DomainError):
    """A cursor was not given out by this bank for this listing."""

    code = "invalid_cursor"
    http_status = 400


def cursor_for(listing: str, position: list[Any]) -> str:
    """Return the cursor for what comes after ``position``, which JSON must be able to hold.

    ``listing`` names what is listed and for whom: the cursor is good for nothing else.
    """
    return signing.dumps(position, salt=_SALT + listing)


def read_cursor(text: str, *, listing: str) -> list[Any]:
    """Return the position after which a listing goes on.

    Raises:
        InvalidCursor
    """
    try:
        position: list[Any] = signing.loads(text, salt=_SALT + listing)
    except signing.BadSignature:
        message = _("This cursor does not belong to this listing; start without one.")
        raise InvalidCursor(message) from None
    return position
