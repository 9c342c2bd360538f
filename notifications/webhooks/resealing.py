"""Secrets of webhooks under a new ``SECRET_KEY``."""

from cryptography.fernet import InvalidToken
from django.db import transaction

from core.sealed import Resealed
from notifications.webhooks import signing
from notifications.webhooks.models import Endpoint


def reseal_secrets(*, write: bool) -> Resealed:
    """Seal under today's key what was sealed under an earlier one; without ``write`` only count.

    Locks one endpoint after the other, each in a transaction of its own.
    """
    found = Resealed()
    for pk in Endpoint.objects.values_list("pk", flat=True):
        with transaction.atomic():
            endpoint = Endpoint.objects.select_for_update(no_key=True).filter(pk=pk).first()
            if endpoint is not None:
                found += _reseal(endpoint, write=write)
    return found


def _reseal(endpoint: Endpoint, *, write: bool) -> Resealed:
    anew = lost = 0
    for field in ("secret", "former_secret"):
        sealed = getattr(endpoint, field)
        if sealed is None:
            continue
        try:
            fresh = signing.renewed(sealed)
        except InvalidToken:
            lost += 1
            continue
        if fresh is not None:
            setattr(endpoint, field, fresh)
            anew += 1
    if anew and write:
        endpoint.save(update_fields=["secret", "former_secret"])
    return Resealed(anew=anew, lost=lost)
