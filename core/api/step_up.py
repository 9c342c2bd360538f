"""Step-up over the API: the same request comes again, with two headers."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from rest_framework.request import Request

from core.api.keys import HEADER as KEY_HEADER

CHALLENGE: Final = "Step-Up-Challenge"
CODE: Final = "Step-Up-Code"
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUp:
    """What a request says of its step-up: as keyword arguments to ``require_step_up``."""

    fingerprint: str
    challenge: str | None
    code: str | None


def step_up_of(request: Request) -> StepUp:
    """Return the step-up of a request; its fingerprint is of caller, method, path, key and body."""
    raw = request._request  # noqa: SLF001  # DRF names it so
    parts = (
        str(getattr(request.user, "pk", "")),
        str(raw.method),
        raw.get_full_path(),
        raw.headers.get(KEY_HEADER, ""),
        sha256(_body(request)).hexdigest(),
    )
    return StepUp(
        fingerprint=sha256("\n".join(parts).encode()).hexdigest(),
        challenge=_short(raw.headers.get(CHALLENGE)),
        code=_short(raw.headers.get(CODE)),
    )


def _body(request: Request) -> bytes:
    """Return the body in one form, since the parser has read the stream by now."""
    return repr(request.data).encode("utf-8", "surrogatepass")


def _short(text: str | None) -> str | None:
    return None if text is None else text.strip()[:_LONGEST]
