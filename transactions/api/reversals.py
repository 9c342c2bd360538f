"""Requests of people to take a transfer back."""

from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.models import Approval, ApprovalState
from accounts.reasons import LONGEST_REASON
from core.api.access import CUSTOMER, Access
from core.api.representation import given, instant
from core.api.schema import operation
from core.api.serializers import (
    ChoiceField,
    InstantField,
    LineField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.views import BankView, caller_pk
from transactions.reversing import ask_reversal, reversals_asked

_REVERSAL: Final = {
    "id": "17",
    "transfer_id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55",
    "reason": "Sent to the wrong account",
    "state": "waiting",
    "asked_at": "2026-03-02T10:00:00Z",
}


class ReversalBody(StrictSerializer):
    """Why a transfer should be reversed."""

    reason = LineField(least=1, longest=LONGEST_REASON)


class ReversalAnswer(Serializer[Any]):
    """A request to reverse a transfer, and what the bank made of it."""

    id = TextField()
    transfer_id = UuidField()
    reason = TextField()
    state = ChoiceField(ApprovalState.values)
    asked_at = InstantField()
    decided_at = InstantField(required=False)
    words = TextField(required=False)
    reversal_id = UuidField(required=False)


class ReversalsAnswer(Serializer[Any]):
    """Requests to reverse a transfer, newest first."""

    reversal_requests = ReversalAnswer(many=True)


class ReversalRequests(BankView):
    """What the caller asked the bank about taking a transfer back."""

    access: ClassVar = {
        "GET": Access(CUSTOMER, scope="accounts:read"),
        "POST": Access(CUSTOMER, scope="transfers:write"),
    }

    @operation(answer=ReversalsAnswer, example={"reversal_requests": [_REVERSAL]})
    def get(self, request: Request, transfer_id: UUID) -> Response:
        """List your requests to reverse a transfer, and what became of them."""
        found = reversals_asked(caller_pk(request), transfer_id=transfer_id)
        return Response({"reversal_requests": [_reversal(one) for one in found]})

    @operation(
        answer=ReversalAnswer,
        example=_REVERSAL,
        status=HTTPStatus.CREATED,
        repeated=HTTPStatus.OK,
        body=ReversalBody,
        body_example={"reason": "Sent to the wrong account"},
    )
    def post(self, request: Request, transfer_id: UUID) -> Response:
        """Ask the bank to reverse a transfer that you sent; an admin decides.

        While it is undecided, asking again answers with the same request and 200. Transfers between
        branches are not reversed.
        """
        body = ReversalBody.read(request.data)
        approval, is_new = ask_reversal(caller_pk(request), transfer_id=transfer_id, **body)
        return Response(_reversal(approval), status=HTTPStatus.CREATED if is_new else HTTPStatus.OK)


def _reversal(approval: Approval) -> dict[str, Any]:
    return given(
        id=str(approval.pk),
        transfer_id=approval.payload["transfer_id"],
        reason=approval.reason,
        state=approval.state,
        asked_at=instant(approval.asked_at),
        decided_at=approval.decided_at and instant(approval.decided_at),
        words=approval.words or None,
        reversal_id=(approval.result or {}).get("reversal_id"),
    )
