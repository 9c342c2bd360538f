"""Second factors, as allauth keeps them, with their secrets sealed."""

from typing import Final

from allauth.mfa.adapter import DefaultMFAAdapter

from core.sealed import seal, unseal

_PURPOSE: Final = "second factor"


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """Keeps the secrets of authenticator apps sealed."""

    def encrypt(self, text: str) -> str:
        """Seal a secret."""
        return seal(text, purpose=_PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a sealed secret."""
        return unseal(encrypted_text, purpose=_PURPOSE)
