"""Which hidden data somebody of staff has asked to see, in this session, and until when."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.http import HttpRequest

from accounts.reveals import REVEALED_FOR, PersonalData

_IN_SESSION: Final = "revealed"


def remember_revealed(
    request: HttpRequest, subject: int, what: Collection[PersonalData], *, now: datetime
) -> None:
    """Let the session see a person's data for a while; what is over is forgotten."""
    known: dict[str, dict[str, float]] = request.session.get(_IN_SESSION, {})
    kept = {person: _going_on(untils, now) for person, untils in known.items()}
    until = (now + REVEALED_FOR).timestamp()
    kept[str(subject)] = {**kept.get(str(subject), {}), **dict.fromkeys(map(str, what), until)}
    request.session[_IN_SESSION] = {person: untils for person, untils in kept.items() if untils}


def revealed_of(request: HttpRequest, subject: int, *, now: datetime) -> frozenset[str]:
    """Return what of a person's data the session may see now."""
    known = request.session.get(_IN_SESSION, {})
    return frozenset(_going_on(known.get(str(subject), {}), now))


def _going_on(untils: dict[str, float], now: datetime) -> dict[str, float]:
    return {what: until for what, until in untils.items() if until > now.timestamp()}
