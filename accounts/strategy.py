"""Tokens for programs that log in by allauth's own addresses, with passkeys above all."""

from typing import Any

from allauth.headless.internal.sessionkit import lookup_session
from allauth.headless.tokens.strategies.sessions import SessionTokenStrategy
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from accounts.models import Session
from accounts.sessions import IN_SESSION
from accounts.tokens import InvalidToken, refresh_tokens, tokens_of
from core import clock


class TokenStrategy(SessionTokenStrategy):  # type: ignore[misc]  # allauth is untyped
    """A session token for allauth's addresses, and the bank's own tokens for its API."""

    def create_access_token_payload(self, request: HttpRequest) -> dict[str, Any] | None:
        """Return the tokens of somebody who has just logged in."""
        session = Session.objects.select_related("person").get(pk=request.session[IN_SESSION])
        tokens = tokens_of(session, now=clock.now())
        return {
            "access_token": tokens.access,
            "refresh_token": tokens.refresh,
            "expires_in": tokens.expires_in,
        }

    def lookup_session(self, session_token: str) -> SessionBase | None:
        """Return the session of a token; None when it is over."""
        found: SessionBase | None = lookup_session(session_token)
        return found

    def refresh_token(self, refresh_token: str) -> tuple[str, str] | None:
        """Return the next two tokens; None when there are none for this one."""
        try:
            tokens = refresh_tokens(refresh_token, now=clock.now())
        except InvalidToken:
            return None
        return tokens.access, tokens.refresh
