"""In which language pages are: as chosen in the browser, by the person, or as the browser asks.

Programs are answered in English, whatever they ask for: they go by codes, and the texts beside them
are for who writes the program.
"""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from accounts.sessions import LANGUAGE_IN_SESSION

_ENGLISH: Final = settings.LANGUAGE_CODE
_FOR_PROGRAMS: Final = ("/api/", "/auth/app/", "/health")
_LOCALES: Final = {"en-in": "en_IN", "hi": "hi_IN"}


class LanguageMiddleware:
    """Answer in the language of who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; what streams after that is for programs, and English."""
        if request.path.startswith(_FOR_PROGRAMS):
            with translation.override(_ENGLISH):
                return self._get_response(request)
        language = language_of(request)
        with translation.override(language):
            response = self._get_response(request)
        response.headers.setdefault("Content-Language", language)
        patch_vary_headers(response, ("Accept-Language",))
        return response


def language_of(request: HttpRequest) -> str:
    """Return the language of a request's answer."""
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    if is_spoken(chosen):
        return chosen
    kept = request.session.get(LANGUAGE_IN_SESSION, "")
    return kept if is_spoken(kept) else translation.get_language_from_request(request)


def is_spoken(language: str) -> bool:
    """Tell whether there are pages in a language."""
    return language in dict(settings.LANGUAGES)


def page_locale() -> str:
    """Return the locale by which numbers and times of the page under way are written."""
    return _LOCALES[translation.get_language() or _ENGLISH]
