"""Tokens of programs: one that is good for five minutes, and one that gets the next two.

An access token is a JWT that names person, session and epoch; `accounts.authentication` checks it
without the database. A refresh token names its session and a number that counts up: an old number
that comes again was stolen, or its successor was, so the session ends. Neither is kept anywhere.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Final
from uuid import UUID

import jwt
from django.conf import settings
from django.core import signing
from django.db.models import F
from django.utils.crypto import salted_hmac

from accounts.models import Session
from accounts.sessions import SessionStore
from accounts.standing import epoch_of, is_epoch_of
from core.errors import DomainError

ACCESS_LIFE: Final = timedelta(minutes=5)
_ALGORITHM: Final = "HS256"
_SALT: Final = "refresh token"


class InvalidToken(DomainError):
    """A token is not ours, has run out, or was revoked."""

    code = "invalid_token"
    http_status = 401


class TokenReused(InvalidToken):
    """A refresh token came a second time."""

    code = "refresh_token_reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a program goes on with."""

    access: str
    refresh: str
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """What an access token says; it runs out at a second of the Unix clock."""

    person: int
    session: UUID
    epoch: str
    expires_at: int


@cache
def signing_key(secret: str) -> bytes:
    """Return a key that is good for access tokens alone, made of the bank's own."""
    return salted_hmac("access token", "", secret=secret, algorithm="sha256").digest()


def tokens_of(session: Session, *, now: datetime) -> Tokens:
    """Return the tokens of a session that goes on, whose person is loaded."""
    epoch = epoch_of(session.person)
    claims = {
        "sub": str(session.person_id),
        "sid": str(session.pk),
        "epoch": epoch,
        "iat": now,
        "exp": min(now + ACCESS_LIFE, session.expires_at),
    }
    return Tokens(
        access=jwt.encode(claims, signing_key(settings.SECRET_KEY), algorithm=_ALGORITHM),
        refresh=signing.dumps([str(session.pk), session.refresh_serial, epoch], salt=_SALT),
        expires_in=int(ACCESS_LIFE.total_seconds()),
    )


def read_access_token(token: str, *, now: datetime) -> AccessClaims:
    """Return what an access token says; whether it still holds is not looked up.

    Raises:
        InvalidToken
    """
    try:
        claims = _claims_of(token)
    except (jwt.PyJWTError, ValueError) as error:
        raise _no_token() from error
    if claims.expires_at <= now.timestamp():
        raise _no_token()
    return claims


def _claims_of(token: str) -> AccessClaims:
    """Return what a token says that is signed under today's key, or under an earlier one.

    Raises:
        PyJWTError, ValueError: it is not ours.
    """
    try:
        return _signed_claims(token, signing_key(settings.SECRET_KEY))
    except jwt.InvalidSignatureError:
        for former in settings.SECRET_KEY_FALLBACKS:
            with suppress(jwt.InvalidSignatureError):
                return _signed_claims(token, signing_key(former))
        raise


# A program shows the same token with each request of five minutes.
@lru_cache(maxsize=4_096)
def _signed_claims(token: str, key: bytes) -> AccessClaims:
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=[_ALGORITHM],
        options={"require": ["exp", "sub", "sid", "epoch"], "verify_exp": False},
    )
    return AccessClaims(
        person=int(claims["sub"]),
        session=UUID(claims["sid"]),
        epoch=claims["epoch"],
        expires_at=int(claims["exp"]),
    )


def _no_token() -> InvalidToken:
    return InvalidToken("This token is not ours, or has run out.")


def refresh_tokens(token: str, *, now: datetime) -> Tokens:
    """Return the next tokens of a session, once for each refresh token.

    Raises:
        InvalidToken: it is not ours, or the session is over.
        TokenReused: it was used before; the session is over now.
    """
    pk, serial, epoch = _read(token)
    going_on = Session.objects.filter(
        pk=pk, ended_at=None, expires_at__gt=now, person__is_active=True
    )
    taken = going_on.filter(refresh_serial=serial).update(
        refresh_serial=F("refresh_serial") + 1, last_used_at=now
    )
    session = going_on.select_related("person").first()
    if session is None or not is_epoch_of(session.person, epoch):
        message = "This session is over; log in again."
        raise InvalidToken(message)
    if not taken:
        SessionStore(session.session_key).delete()
        message = "This token was used before. The session is over; log in again."
        raise TokenReused(message)
    # Not what was read: another refresh may have come in between, whose number is not for this one.
    session.refresh_serial = serial + 1
    return tokens_of(session, now=now)


def _read(token: str) -> tuple[str, int, str]:
    try:
        pk, serial, epoch = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError) as error:
        message = "This is no refresh token of ours."
        raise InvalidToken(message) from error
    return pk, serial, epoch
