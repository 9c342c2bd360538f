"""Addresses of other pages of a listing: opaque, signed, and with the same filter."""

from typing import Any, Final

from django.http import HttpRequest, QueryDict

from core.cursors import cursor_for, read_cursor

_AFTER: Final = "after"


def place_asked(request: HttpRequest, *, listing: str) -> list[Any] | None:
    """Return the place after which a page begins; None for the first.

    Raises:
        InvalidCursor
    """
    cursor = request.GET.get(_AFTER)
    return read_cursor(cursor, listing=listing) if cursor else None


def address_of(request: HttpRequest, *, after: list[Any] | None, listing: str) -> str:
    """Return the address of the page after a place; empty where there is none."""
    if after is None:
        return ""
    return f"?{query_of(request, **{_AFTER: cursor_for(listing, after)})}"


def newest_address(request: HttpRequest) -> str:
    """Return the address of the first page; empty where this is it."""
    return f"?{query_of(request)}" if _AFTER in request.GET else ""


def query_of(request: HttpRequest, **more: str) -> str:
    """Return the filter of a request as a query, from its first page on."""
    query = QueryDict(mutable=True)
    asked = {name: str(text) for name, text in request.GET.items() if text and name != _AFTER}
    query.update(asked)
    query.update(more)
    return query.urlencode()
