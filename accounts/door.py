"""Logging in by program: the steps of the log-in door, with an answer for each.

All of them are allauth's, so that nothing it asks for is left out: attempts are counted, e-mail
addresses verified, second factors asked for. What programs get are the bank's own tokens.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from allauth.account.internal.constants import LoginStageKey as AccountStage
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.internal.stagekit import get_pending_stage
from allauth.account.stages import LoginStageController
from allauth.core import ratelimit
from allauth.headless.account.inputs import LoginInput
from allauth.headless.constants import Client
from allauth.headless.internal.authkit import purge_request_user_cache
from allauth.headless.internal.decorators import mark_request_as_headless
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import Session
from accounts.sessions import IN_SESSION, SessionStore
from accounts.tokens import Tokens, tokens_of
from core.errors import DomainError

_SESSION_KEY: Final = re.compile(r"[a-z0-9]{32}", re.ASCII)
_TOO_MANY: Final = "too_many_login_attempts"
_WAIT_SECONDS: Final = 300


class NotLoggedIn(DomainError):
    """Somebody is not let in."""

    code = "wrong_credentials"
    http_status = 401


class SecondFactorRequired(NotLoggedIn):
    """The password is right, and a second factor is to come; ``members`` say which, and to what."""

    code = "mfa_required"

    def __init__(self, token: str, methods: list[str]) -> None:
        super().__init__(_("Send a code of your second factor with this `mfa_token`."))
        self.members = {"mfa_token": token, "methods": methods}


class EmailNotVerified(NotLoggedIn):
    """Nobody has shown yet that the e-mail address is theirs."""

    code = "email_not_verified"
    http_status = 403


class NotActive(NotLoggedIn):
    """A person is suspended, or no customer any more."""

    code = "not_active"
    http_status = 403


class TooManyAttempts(DomainError):
    """Somebody tried too often, for a person or from an address."""

    code = "too_many_attempts"
    http_status = 429
    wait: Final = _WAIT_SECONDS


def log_in(request: HttpRequest, *, email: str, password: str, now: datetime) -> Tokens:
    """Log a person in and return the tokens of their new session.

    Raises:
        NotLoggedIn, SecondFactorRequired, EmailNotVerified, NotActive, TooManyAttempts
    """
    with session_of_program(request, SessionStore()):
        if not ratelimit.consume(request, action="login"):
            raise _too_many()
        typed = LoginInput({"email": email, "password": password})
        if not typed.is_valid():
            if typed.has_error("__all__", _TOO_MANY):
                raise _too_many()
            message = _("E-mail address or password is not right.")
            raise NotLoggedIn(message)
        perform_password_login(request, typed.cleaned_data, typed.login)
        if not typed.login.user.is_active:
            message = _("You cannot log in at present. Please ask your branch.")
            raise NotActive(message)
        return _tokens(request, now)


def give_code(request: HttpRequest, *, mfa_token: str, code: str, now: datetime) -> Tokens:
    """Go on with a log-in by a code of an authenticator app, or a recovery code.

    Raises:
        NotLoggedIn: the code is wrong, or the log-in was begun too long ago.
        TooManyAttempts
    """
    key = mfa_token if _SESSION_KEY.fullmatch(mfa_token) else None
    with session_of_program(request, SessionStore(key)):
        stage = LoginStageController.enter(request, AuthenticateStage.key)
        if stage is None:
            message = _("This log-in was begun too long ago; begin again.")
            raise NotLoggedIn(message, code="mfa_token_expired")
        typed = AuthenticateForm({"code": code}, user=stage.login.user)
        if not typed.is_valid():
            if typed.has_error("code", _TOO_MANY):
                raise _too_many()
            message = _("This is not the code. Please look again.")
            raise NotLoggedIn(message, code="wrong_code")
        typed.save()
        stage.exit()
        return _tokens(request, now)


def _tokens(request: HttpRequest, now: datetime) -> Tokens:
    """Return the tokens of who is logged in now; or say what is asked for next."""
    if request.user.is_authenticated:
        session = Session.objects.select_related("person").get(pk=request.session[IN_SESSION])
        return tokens_of(session, now=now)
    stage = get_pending_stage(request)
    if stage is not None and stage.key == AuthenticateStage.key:
        request.session.save()
        methods = Authenticator.objects.filter(user=stage.login.user)
        raise SecondFactorRequired(
            str(request.session.session_key),
            sorted(methods.values_list("type", flat=True).distinct()),
        )
    if stage is not None and stage.key == AccountStage.VERIFY_EMAIL.value:
        message = _("Follow the link in the mail that we have sent you, then log in.")
        raise EmailNotVerified(message)
    message = _("Log in by the pages: more is asked for than a program can give.")
    raise NotLoggedIn(message, code="more_required")


@contextmanager
def session_of_program(request: HttpRequest, session: SessionStore) -> Iterator[None]:
    """Let allauth work on a session that no cookie names; a browser's is as it was afterwards."""
    raw: Any = request
    mark_request_as_headless(request, Client.APP)
    before = raw.user, raw.session
    raw.session = session
    purge_request_user_cache(request)
    raw.allauth.headless._pre_user = raw.user  # noqa: SLF001  # allauth's way
    try:
        yield
    finally:
        if session.modified and not session.is_empty():
            session.save()
        raw.user, raw.session = before
        request.META["CSRF_COOKIE_NEEDS_UPDATE"] = False


def _too_many() -> TooManyAttempts:
    return TooManyAttempts("There were too many attempts. Please try again in a few minutes.")
