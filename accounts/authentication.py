"""Who calls the API: by a token of a program's session, an API key, or a browser's session.

Nothing here asks the database as long as the cache answers, see ``accounts.known``.
"""

from typing import Any, Final

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from accounts.callers import Caller
from accounts.keys import BEGINNING, UsableKey, usable_key
from accounts.known import asking_head_office
from accounts.sessions import IN_SESSION, is_open
from accounts.standing import Standing, standing_of
from accounts.tokens import InvalidToken, read_access_token
from core import clock
from core.api.access import scopes_of
from core.errors import DomainError

_SCHEME: Final = "bearer"
_REVOKED: Final = "This token was revoked; log in again."


class SecondFactorNeeded(DomainError):
    """Somebody who works for the bank has no second factor yet."""

    code = "second_factor_needed"
    http_status = 403


class TokenAuthentication(BaseAuthentication):
    """Accept ``Authorization: Bearer …`` with an access token or an API key."""

    def authenticate(self, request: Request) -> tuple[Caller, Any] | None:
        """Return who holds the token, and nothing else; None when there is none.

        Raises:
            InvalidToken: it is not ours, has run out or was revoked, or its person is not active.
            HeadOfficeSilent
        """
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != _SCHEME:
            return None
        with asking_head_office():
            caller = _caller_of(token.strip())
        bind_contextvars(user_id=caller.pk, credential=caller.credential)
        return caller, None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  # DRF passes it
        """Return what tells a program how to authenticate."""
        return 'Bearer realm="api"'


class BrowserAuthentication(SessionAuthentication):
    """Accept a browser's session; what writes needs a CSRF token, too."""

    def authenticate(self, request: Request) -> tuple[Caller, Any] | None:
        """Return who is logged in; None when nobody is.

        Raises:
            PermissionDenied: the CSRF token is missing.
            HeadOfficeSilent
        """
        session = request._request.session  # noqa: SLF001  # DRF names it so
        with asking_head_office():
            caller = _caller_by_session(session)
        if caller is None:
            return None
        self.enforce_csrf(request)
        bind_contextvars(user_id=caller.pk, credential=caller.credential)
        return caller, None


def _caller_of(token: str) -> Caller:
    if token.startswith(BEGINNING):
        return _caller_by_key(usable_key(token, now=clock.now()))
    claims = read_access_token(token, now=clock.now())
    person = _active(claims.person)
    if not person.has_epoch(claims.epoch):
        raise InvalidToken(_REVOKED)
    if not is_open(claims.session, person=claims.person, now=clock.now()):
        raise InvalidToken(_REVOKED)
    return Caller(
        pk=person.pk,
        role=person.role,
        scopes=None,
        via="token",
        credential=str(claims.session),
        epoch=person.epoch,
    )


def _caller_by_key(key: UsableKey) -> Caller:
    person = _active(key.person)
    return Caller(
        pk=person.pk,
        role=person.role,
        # What they could not be given now, they have not either.
        scopes=key.scopes & scopes_of(person.role),
        via="key",
        credential=str(key.pk),
        largest_transfer=key.largest_transfer,
    )


def _caller_by_session(session: SessionBase) -> Caller | None:
    pk = session.get(SESSION_KEY)
    if pk is None:
        return None
    person = standing_of(int(pk))
    if person is None or not person.is_active:
        return None
    if not person.has_session(session.get(HASH_SESSION_KEY, "")):
        return None
    _refuse_without_second_factor(person)
    return Caller(
        pk=person.pk,
        role=person.role,
        scopes=None,
        via="session",
        credential=str(session.get(IN_SESSION, "")),
        epoch=person.epoch,
    )


def _active(pk: int) -> Standing:
    person = standing_of(pk)
    if person is None or not person.is_active:
        raise InvalidToken(_REVOKED)
    _refuse_without_second_factor(person)
    return person


def _refuse_without_second_factor(person: Standing) -> None:
    if person.needs_second_factor:
        message = "Set up a second factor first, on the page Security."
        raise SecondFactorNeeded(message)
