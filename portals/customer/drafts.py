"""What was typed into a form and not sent yet, kept with the session under the form's token."""

from typing import Final

from django.http import HttpRequest

_KEPT: Final = "transfer_drafts"
_MOST: Final = 5


def keep_draft(request: HttpRequest, *, token: str, entries: dict[str, str]) -> None:
    """Keep a form's entries; of many forms the newest few."""
    others = {name: kept for name, kept in _drafts(request).items() if name != token}
    newest = list(others.items())[1 - _MOST :]
    request.session[_KEPT] = {**dict(newest), token: entries}


def draft(request: HttpRequest, *, token: str) -> dict[str, str] | None:
    """Return a form's entries; None when there are none (any more)."""
    return _drafts(request).get(token)


def drop_draft(request: HttpRequest, *, token: str) -> None:
    """Forget a form's entries: what it asked for is taken care of."""
    request.session[_KEPT] = {
        name: kept for name, kept in _drafts(request).items() if name != token
    }


def _drafts(request: HttpRequest) -> dict[str, dict[str, str]]:
    kept: dict[str, dict[str, str]] = request.session.get(_KEPT, {})
    return kept
