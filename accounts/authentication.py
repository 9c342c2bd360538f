"""Who calls the API."""

from dataclasses import dataclass
from typing import Any, Literal

from allauth.headless.contrib.rest_framework.authentication import JWTTokenAuthentication
from structlog.contextvars import bind_contextvars


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """A person known by a valid access token: by id alone, so that nothing is looked up.

    What they may do is decided where it is done: by the rights on an account.
    """

    pk: int
    is_authenticated: Literal[True] = True


class TokenAuthentication(JWTTokenAuthentication):  # type: ignore[misc]  # allauth is untyped
    """Accept the short-lived access tokens of the log-in door, ``Authorization: Bearer …``."""

    def authenticate_credentials(self, key: str) -> tuple[TokenHolder, dict[str, Any]]:
        """Return the person and the token's claims.

        Raises:
            AuthenticationFailed: the token is not ours, or has run out.
        """
        _person, claims = super().authenticate_credentials(key)
        holder = TokenHolder(int(claims["sub"]))
        bind_contextvars(user_id=holder.pk)
        return holder, claims
