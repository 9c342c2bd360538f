"""Signatures as Standard Webhooks has them, and the secrets behind them.

A secret is needed again for every message, so it cannot be hashed as a password is. In the database
it lies encrypted under a key made of ``SECRET_KEY``: whoever reads the database alone, or a backup
of it, cannot sign. ``SECRET_KEY_FALLBACKS`` still open what was sealed under an earlier key.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from cryptography.fernet import InvalidToken

from core import sealed as box

PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32
_PURPOSE: Final = "bankproject webhook secrets"


class SecretLost(Exception):
    """A secret was sealed under a key that the bank has no more; it must be made anew."""


def new_secret() -> str:
    """Return a new secret, as its owner keeps it."""
    return PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def seal(secret: str) -> bytes:
    """Encrypt a secret for the database."""
    return box.seal(secret, purpose=_PURPOSE).encode()


def open_sealed(sealed: bytes) -> str:
    """Return a secret of the database.

    Raises:
        SecretLost
    """
    try:
        return box.unseal(bytes(sealed).decode(), purpose=_PURPOSE)
    except InvalidToken as error:
        raise SecretLost from error


def renewed(sealed: bytes) -> bytes | None:
    """Return what was sealed under an earlier key, sealed under today's; None if it is already.

    Raises:
        cryptography.fernet.InvalidToken: the bank has its key no more.
    """
    fresh = box.renewed(bytes(sealed).decode(), purpose=_PURPOSE)
    return None if fresh is None else fresh.encode()


def headers_of(
    *, message: UUID, at: datetime, body: bytes, secrets: Iterable[str]
) -> Mapping[str, str]:
    """Return the headers of a message: its id, the instant, and a signature by each secret."""
    seconds = int(at.timestamp())
    signed = f"{message}.{seconds}.".encode() + body
    return {
        "Content-Type": "application/json",
        "User-Agent": "Bankproject-Webhooks/1",
        "webhook-id": str(message),
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(PREFIX))
    return "v1," + b64encode(hmac.new(key, signed, sha256).digest()).decode()
