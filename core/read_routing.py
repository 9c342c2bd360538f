"""What a request must not be older than: its person's own writes of the last half minute.

After a request that may have written, the answer tells where the logs of the nodes that it worked
on end: in the header ``X-Consistency-Token`` for programs, and in a cookie for browsers. The next
request sends it back. It is signed, and forgotten after 30 seconds: by then every copy that counts
as fresh has all that was written.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.db import connections
from django.http import HttpRequest, HttpResponse

from core.api.problems import problem_response
from core.db.aliases import HEAD_OFFICE, REPLICA
from core.db.reading import Positions, Reading, current_reading, positions_now, reading

HEADER: Final = "X-Consistency-Token"
_META: Final = "HTTP_X_CONSISTENCY_TOKEN"
COOKIE: Final = "consistency"
LIFE_SECONDS: Final = 30
LONGEST: Final = 2_048
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_POSITION: Final = re.compile(r"([A-Za-z0-9]{1,16})=([0-9A-F]{1,16})", re.ASCII)

_signer: Final = TimestampSigner(salt="consistency")


class InvalidToken(Exception):
    """A consistency token is not one of ours."""


class ReadRoutingMiddleware:
    """Let safe requests read the replica where it has what their tokens ask for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, and tell after a write what later ones must see."""
        is_safe = request.method in _SAFE
        cookie, is_good = _cookie_of(request)
        try:
            positions = _newest(cookie, positions_of(request.META.get(_META)))
        except InvalidToken:
            detail = f"{HEADER} is not as an answer of this bank gave it."
            return problem_response(request, status=400, detail=detail)
        with reading(may_use_replica=is_safe and is_good, positions=positions) as current:
            response = self._get_response(request)
        if not is_safe and REPLICA in connections:
            written = positions_now({HEAD_OFFICE, *current.used})
            _tell(request, response, token_of(_newest(positions, written)))
        return response


def reading_context(_request: HttpRequest) -> dict[str, Reading | None]:
    """Let every page say as of when it is, and which branches it had to do without."""
    return {"reading": current_reading()}


def token_of(positions: Positions) -> str:
    """Return a token for positions."""
    return _signer.sign(",".join(f"{node}={at:X}" for node, at in sorted(positions.items())))


def positions_of(token: str | None) -> Positions:
    """Return the positions of a token; none when there is no token, or an old one.

    Raises:
        InvalidToken: it is not one of ours.
    """
    if token is None:
        return {}
    if len(token) > LONGEST:
        raise InvalidToken
    try:
        text = _signer.unsign(token, max_age=LIFE_SECONDS)
    except SignatureExpired:
        return {}
    except BadSignature as error:
        raise InvalidToken from error
    return {node: int(at, 16) for node, at in _POSITION.findall(text)}


def _cookie_of(request: HttpRequest) -> tuple[Positions, bool]:
    """Return a browser's positions, and whether they are good; without, the primaries are read."""
    try:
        return positions_of(request.COOKIES.get(COOKIE)), True
    except InvalidToken:
        return {}, False


def _newest(first: Positions, second: Positions) -> Mapping[str, int]:
    return {node: max(first.get(node, 0), second.get(node, 0)) for node in {**first, **second}}


def _tell(request: HttpRequest, response: HttpResponse, token: str) -> None:
    response[HEADER] = token
    if settings.SESSION_COOKIE_NAME in {*request.COOKIES, *response.cookies}:
        response.set_cookie(
            COOKIE,
            token,
            max_age=LIFE_SECONDS,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
