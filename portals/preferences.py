"""How a person wants pages to look. Kept in their browser, so that it holds before they log in."""

from typing import Final

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from portals.amounts import HIDE_COOKIE

THEMES: Final = {"light": _("Light"), "dark": _("Dark"), "system": _("System")}
_YEAR: Final = 365 * 24 * 60 * 60


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep a theme and go back to where it was chosen.

    Raises:
        BadRequest: there is no such theme.
    """
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        raise BadRequest
    answer = back(request)
    answer.set_cookie(
        "theme",
        chosen,
        max_age=_YEAR,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    return answer


@require_POST
def amounts(request: HttpRequest) -> HttpResponse:
    """Show amounts no longer, or again, and go back to where that was wanted."""
    answer = back(request)
    if "hide" in request.POST:
        answer.set_cookie(
            HIDE_COOKIE,
            "yes",
            max_age=_YEAR,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    else:
        answer.delete_cookie(HIDE_COOKIE, samesite="Lax")
    return answer


def back(request: HttpRequest) -> HttpResponseRedirect:
    """Lead to the page a form was sent from, or to the overview where that is not one of ours."""
    place = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        place, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return HttpResponseRedirect(place if is_ours else resolve_url("dashboard"))
