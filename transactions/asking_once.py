"""Asking a second admin for approval, once for each idempotency key of who asks."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.approvals import ask_approval
from accounts.models import Approval, User
from accounts.reasons import given_reason
from transactions.ledger.codes import Code, Refused


def ask_once(
    action: str, payload: Mapping[str, Any], *, maker: int, key: str, reason: str
) -> Approval:
    """Ask for approval, once for each key of who asks.

    Raises:
        Refused: the key stands for another request.
        InvalidText: the reason is empty, too long, or not one line.
    """
    asked = {**payload, "key": key, "reason": given_reason(reason)}
    with transaction.atomic():
        # Two that come at once take turns.
        User.objects.select_for_update().get(pk=maker)
        known = Approval.objects.filter(maker=maker, payload__key=key).first()
        if known is None:
            return ask_approval(maker=maker, action=action, payload=asked, reason=reason)
    if known.action != action or known.payload != asked:
        raise Refused(Code.KEY_REUSED)
    return known
