"""How values look in answers: what has no value is left out, money and instants are strings."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from core.money import Money

# ASCII: a refusal may quote what UTF-8 cannot write, such as half a surrogate pair.
_ENCODER: Final = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_UTC: Final = "+00:00"
_ANYTHING: Final = frozenset({"", "*/*", "application/json"})


class JsonRenderer(BaseRenderer):
    """Write answers as JSON; they hold nothing but what JSON has."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002  # DRF passes it
        renderer_context: Mapping[str, Any] | None = None,  # noqa: ARG002  # DRF passes it
    ) -> bytes:
        """Return the body of an answer."""
        return b"" if data is None else _ENCODER.encode(data).encode("ascii")


class JsonOnly(DefaultContentNegotiation):
    """Most callers take anything, or JSON: no list of types is read for them."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        """Return the renderer of an answer, and its type.

        Raises:
            NotAcceptable: the caller does not take JSON.
        """
        if request.META.get("HTTP_ACCEPT", "") in _ANYTHING:
            return renderers[0], renderers[0].media_type
        return super().select_renderer(request, renderers, format_suffix)


def given(**members: Any) -> dict[str, Any]:
    """Return a JSON object of the members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def decimal(money: Money | None) -> str | None:
    """Write an amount in major units, with the currency's decimals."""
    return None if money is None else money.text


def decimal_of(minor: int | None, currency: str) -> str | None:
    """Write an amount that is kept as minor units."""
    return None if minor is None else decimal(Money(minor, currency))


def instant(at: datetime) -> str:
    """Write an instant, in UTC."""
    text = at.isoformat()
    if text[-6:] != _UTC:
        text = at.astimezone(UTC).isoformat()
    return f"{text[:-6]}Z"
