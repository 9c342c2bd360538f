"""Secrets that the bank must be able to read again: kept sealed under a key of ``SECRET_KEY``."""

import base64
from dataclasses import dataclass
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    """How many secrets were sealed under an earlier key, and how many under one that is gone."""

    anew: int = 0
    lost: int = 0

    def __add__(self, other: "Resealed") -> "Resealed":
        """Return both together."""
        return Resealed(anew=self.anew + other.anew, lost=self.lost + other.lost)


def seal(secret: str, *, purpose: str) -> str:
    """Return a secret as it may be stored; each purpose has a key of its own."""
    return _box(purpose).encrypt(secret.encode()).decode()


def unseal(sealed: str, *, purpose: str) -> str:
    """Return a secret that was sealed for a purpose.

    Raises:
        cryptography.fernet.InvalidToken: it was sealed for another one, or under another key.
    """
    return _box(purpose).decrypt(sealed).decode()


def renewed(sealed: str, *, purpose: str) -> str | None:
    """Return what was sealed under an earlier key, sealed under today's; None if it is already.

    Raises:
        cryptography.fernet.InvalidToken: it was sealed for another purpose, or under another key.
    """
    try:
        Fernet(_key(settings.SECRET_KEY, purpose)).decrypt(sealed)
    except InvalidToken:
        return _box(purpose).rotate(sealed).decode()
    return None


def _box(purpose: str) -> MultiFernet:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key(key, purpose)) for key in keys])


@cache
def _key(secret_key: str, purpose: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode())
    return base64.urlsafe_b64encode(derived.derive(secret_key.encode()))
