"""Requests that wait for a second admin, as those who ask see them."""

from typing import Any, Final

from rest_framework.serializers import Serializer

from accounts.models import Approval, ApprovalState
from core.api.representation import instant
from core.api.serializers import ChoiceField, InstantField, TextField

APPROVAL: Final = {
    "id": "57",
    "action": "transactions.change_account_status",
    "state": "waiting",
    "asked_at": "2026-03-02T09:30:00Z",
}


class ApprovalAnswer(Serializer[Any]):
    """A request that a second admin decides about."""

    id = TextField()
    action = TextField()
    state = ChoiceField(ApprovalState.values)
    asked_at = InstantField()


def approval_shown(approval: Approval) -> dict[str, Any]:
    """Return a request as the API shows it."""
    return {
        "id": str(approval.pk),
        "action": approval.action,
        "state": approval.state,
        "asked_at": instant(approval.asked_at),
    }
