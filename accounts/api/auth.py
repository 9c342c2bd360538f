"""Logging in by program, and what keeps a program logged in."""

from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.callers import Caller
from accounts.door import give_code, log_in
from accounts.known import asking_head_office
from accounts.open_sessions import end_session_of_caller
from accounts.tokens import Tokens, refresh_tokens
from core import clock
from core.api.access import ADMIN, ANYONE, CUSTOMER, EMPLOYEE, Access
from core.api.schema import operation
from core.api.serializers import ChoiceField, IntegerField, LineField, StrictSerializer, TextField
from core.api.views import BankView

_LONGEST: Final = 1_024
_BEARER: Final = "Bearer"
_TOKENS: Final = {
    "access_token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3In0.5b5c",
    "refresh_token": "WyI1ZjZmMWYwZSIsMF0:2Zn6mV",
    "token_type": _BEARER,
    "expires_in": 300,
}


class LogInBody(StrictSerializer):
    """Who logs in."""

    email = LineField(longest=254, least=1)
    password = TextField(help_text="It is sent over TLS, and never kept as it is.")


class CodeBody(StrictSerializer):
    """A second factor."""

    mfa_token = LineField(longest=64, least=1, help_text="Of the refusal `mfa_required`.")
    code = LineField(longest=32, least=1, help_text="Of the authenticator app, or a recovery code.")


class RefreshBody(StrictSerializer):
    """What gets the next tokens."""

    refresh_token = LineField(longest=_LONGEST, least=1)


class TokensAnswer(Serializer[Any]):
    """An access token for five minutes, and what gets the next one, once."""

    access_token = TextField()
    refresh_token = TextField()
    token_type = ChoiceField([_BEARER])
    expires_in = IntegerField(least=1, most=300, help_text="Seconds.")


class LogIn(BankView):
    """Logging in."""

    authentication_classes = ()
    access: ClassVar = {"POST": Access(ANYONE)}

    @operation(
        body=LogInBody,
        body_example={"email": "asha@example.org", "password": "correct horse battery staple"},
        answer=TokensAnswer,
        example=_TOKENS,
    )
    def post(self, request: Request) -> Response:
        """Log in with e-mail address and password.

        Who has set up a second factor is refused with `mfa_required`: send its code with the
        problem's `mfa_token` to `/auth/mfa`. Five wrong passwords close the door for a while.
        """
        body = LogInBody.read(request.data)
        with asking_head_office():
            tokens = log_in(request._request, **body, now=clock.now())  # noqa: SLF001  # DRF names it so
        return Response(_shown(tokens))


class SecondFactor(BankView):
    """The second step of logging in."""

    authentication_classes = ()
    access: ClassVar = {"POST": Access(ANYONE)}

    @operation(
        body=CodeBody,
        body_example={"mfa_token": "1k2v9x0s7q3m5n8b4c6d1f2g3h4j5k6l", "code": "492039"},
        answer=TokensAnswer,
        example=_TOKENS,
    )
    def post(self, request: Request) -> Response:
        """Go on with a log-in by the code of an authenticator app, or by a recovery code."""
        body = CodeBody.read(request.data)
        with asking_head_office():
            tokens = give_code(request._request, **body, now=clock.now())  # noqa: SLF001  # DRF names it so
        return Response(_shown(tokens))


class Refresh(BankView):
    """Staying logged in."""

    authentication_classes = ()
    access: ClassVar = {"POST": Access(ANYONE)}

    @operation(
        body=RefreshBody,
        body_example={"refresh_token": _TOKENS["refresh_token"]},
        answer=TokensAnswer,
        example=_TOKENS,
    )
    def post(self, request: Request) -> Response:
        """Get the next two tokens.

        A refresh token is good once. One that comes a second time was stolen, or its successor
        was: the session ends, for both.
        """
        body = RefreshBody.read(request.data)
        with asking_head_office():
            tokens = refresh_tokens(body["refresh_token"], now=clock.now())
        return Response(_shown(tokens))


class LogOut(BankView):
    """Logging out."""

    access: ClassVar = {"POST": Access(CUSTOMER, EMPLOYEE, ADMIN)}

    @operation(answer=None, status=204)
    def post(self, request: Request) -> Response:
        """End the session; its tokens are worth nothing within a second."""
        caller: Caller = request.user  # type: ignore[assignment]  # a caller is no model
        with asking_head_office():
            end_session_of_caller(request._request, caller)  # noqa: SLF001  # DRF names it so
        return Response(status=204)


def _shown(tokens: Tokens) -> dict[str, Any]:
    return {
        "access_token": tokens.access,
        "refresh_token": tokens.refresh,
        "token_type": _BEARER,
        "expires_in": tokens.expires_in,
    }
