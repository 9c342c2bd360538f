"""How a person wants pages to look. Kept in their browser, so that it holds before they log in."""

from contextlib import suppress
from typing import Final

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.known import SILENCE
from accounts.services import keep_language
from accounts.sessions import LANGUAGE_IN_SESSION
from portals.amounts import HIDE_COOKIE
from portals.languages import is_spoken

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
    _keep(request, answer, "theme", chosen)
    return answer


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Keep a language, with the person too where there is one, and go back.

    Raises:
        BadRequest: there are no pages in this language.
    """
    chosen = request.POST.get("language", "")
    if not is_spoken(chosen):
        raise BadRequest
    if request.user.pk is not None:
        request.session[LANGUAGE_IN_SESSION] = chosen
        # The browser knows it in any case; mails follow once the head office answers again.
        with suppress(*SILENCE):
            keep_language(request.user.pk, language=chosen)
    answer = back(request)
    _keep(request, answer, settings.LANGUAGE_COOKIE_NAME, chosen)
    return answer


@require_POST
def amounts(request: HttpRequest) -> HttpResponse:
    """Show amounts no longer, or again, and go back to where that was wanted."""
    answer = back(request)
    if "hide" in request.POST:
        _keep(request, answer, HIDE_COOKIE, "yes")
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


def _keep(request: HttpRequest, answer: HttpResponse, name: str, wish: str) -> None:
    answer.set_cookie(
        name, wish, max_age=_YEAR, secure=request.is_secure(), httponly=True, samesite="Lax"
    )
