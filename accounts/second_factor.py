"""Second factors, as allauth keeps them, with their secrets sealed."""

from typing import Any, Final

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import InvalidToken
from django.db import transaction

from core.sealed import Resealed, renewed, seal, unseal

_PURPOSE: Final = "second factor"
# What of it is sealed: of an app, and of recovery codes.
_SEALED: Final = frozenset({"secret", "seed"})


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """Keeps the secrets of authenticator apps sealed."""

    def encrypt(self, text: str) -> str:
        """Seal a secret."""
        return seal(text, purpose=_PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a sealed secret."""
        return unseal(encrypted_text, purpose=_PURPOSE)


def reseal_secrets(*, write: bool) -> Resealed:
    """Seal under today's key what was sealed under an earlier one; without ``write`` only count.

    Locks one second factor after the other, each in a transaction of its own.
    """
    # Not at the top: settings name this module before Django has its models.
    from allauth.mfa.models import Authenticator

    found = Resealed()
    for pk in Authenticator.objects.values_list("pk", flat=True):
        with transaction.atomic():
            factor = Authenticator.objects.select_for_update(no_key=True).filter(pk=pk).first()
            if factor is None:
                continue
            fresh, outcome = _renewed_all(factor.data)
            if outcome.anew and write:
                factor.data = fresh
                factor.save(update_fields=["data"])
            found += outcome
    return found


def _renewed_all(data: dict[str, Any]) -> tuple[dict[str, Any], Resealed]:
    """Return what allauth keeps of a second factor, with its secrets under today's key."""
    fresh, outcome = dict(data), Resealed()
    for name in _SEALED & data.keys():
        fresh[name], found = _renewed(data[name])
        outcome += found
    return fresh, outcome


def _renewed(sealed: str) -> tuple[str, Resealed]:
    try:
        fresh = renewed(sealed, purpose=_PURPOSE)
    except InvalidToken:
        return sealed, Resealed(lost=1)
    return (sealed, Resealed()) if fresh is None else (fresh, Resealed(anew=1))
