"""Small drawings of how a balance went, made here: an SVG that needs no script and no style."""

from collections.abc import Sequence
from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.money import Money
from portals.amounts import are_hidden, written

_WIDTH: Final = 120
_HEIGHT: Final = 32
_EDGE: Final = 2


def drawn(balances: Sequence[int], currency: str) -> SafeString:
    """Draw balances of days, the oldest first; nothing while amounts are hidden.

    The form alone would tell others enough.
    """
    if are_hidden() or not balances:
        return SafeString("")
    first, last = (written(Money(minor, currency)) for minor in (balances[0], balances[-1]))
    words = _("Balance over %(days)s days, from %(first)s to %(last)s")
    return format_html(
        '<svg class="inline h-8 w-20 fill-none stroke-primary stroke-2 sm:w-28" role="img"'
        ' viewBox="0 0 {} {}" preserveAspectRatio="none" aria-label="{}">'
        '<polyline vector-effect="non-scaling-stroke" stroke-linejoin="round" points="{}"/></svg>',
        _WIDTH,
        _HEIGHT,
        words % {"days": len(balances), "first": first, "last": last},
        _points(balances),
    )


def _points(balances: Sequence[int]) -> str:
    """Return the corners of the line; a balance that did not move is a line in the middle."""
    lowest, highest = min(balances), max(balances)
    room, steps = _HEIGHT - 2 * _EDGE, max(len(balances) - 1, 1)
    return " ".join(
        f"{at * _WIDTH // steps},{_height(minor - lowest, highest - lowest, room)}"
        for at, minor in enumerate(balances)
    )


def _height(above: int, span: int, room: int) -> int:
    return _HEIGHT // 2 if span == 0 else _EDGE + room - above * room // span
