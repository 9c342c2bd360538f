"""What was typed into a form and not sent yet, kept with the session under the form's token.

A form says whose it is, signed. So what somebody sends after their session has ended is kept until
they are logged in again, and shown to nobody else.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponseBase

Parameters = ParamSpec("Parameters")
_KEPT: Final = "transfer_drafts"
_MOST: Final = 5
_MOST_FIELDS: Final = 20
_LONGEST: Final = 300
_SIGNER: Final = Signer(salt="whose form it is")


def whose(request: HttpRequest) -> str:
    """Return what a form of the logged-in person says of them."""
    return _SIGNER.sign(str(request.user.pk))


def keep_draft(request: HttpRequest, *, token: str, entries: dict[str, str]) -> None:
    """Keep a form's entries; of many forms the newest few."""
    others = {name: kept for name, kept in _drafts(request).items() if name != token}
    newest = list(others.items())[1 - _MOST :]
    request.session[_KEPT] = {**dict(newest), token: entries}


def draft(request: HttpRequest, *, token: str) -> dict[str, str] | None:
    """Return a form's entries; None when there are none (any more), or they are another's."""
    kept = _drafts(request).get(token)
    return kept if kept and kept.get("whose", "") in {"", whose(request)} else None


def drop_draft(request: HttpRequest, *, token: str) -> None:
    """Forget a form's entries: what it asked for is taken care of."""
    request.session[_KEPT] = {
        name: kept for name, kept in _drafts(request).items() if name != token
    }


def kept_over_log_in(
    *, back: Callable[[str], str]
) -> Callable[
    [Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase],
]:
    """Keep what is sent to a view when nobody is logged in any more, and go on after a log-in.

    ``back`` leads from a form's token to where it goes on.
    """

    def decorated(
        view: Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase]:
        @wraps(view)
        def page(
            request: HttpRequest, /, *args: Parameters.args, **kwargs: Parameters.kwargs
        ) -> HttpResponseBase:
            token = "" if request.user.is_authenticated else _kept_for_log_in(request)
            return redirect_to_login(back(token)) if token else view(request, *args, **kwargs)

        return page

    return decorated


def _kept_for_log_in(request: HttpRequest) -> str:
    """Keep what is sent, if the bank made the form, and return its token; else nothing."""
    typed = {name: request.POST[name] for name in request.POST if not name.startswith("step_up")}
    typed.pop("csrfmiddlewaretoken", None)
    try:
        token = str(UUID(typed.get("token", "")))
        _SIGNER.unsign(typed.get("whose", ""))
    except (ValueError, BadSignature):
        return ""
    if len(typed) > _MOST_FIELDS or any(len(text) > _LONGEST for text in typed.values()):
        return ""
    keep_draft(request, token=token, entries=typed)
    return token


def _drafts(request: HttpRequest) -> dict[str, dict[str, str]]:
    kept: dict[str, dict[str, str]] = request.session.get(_KEPT, {})
    return kept
