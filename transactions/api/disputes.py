"""Movements that the caller says are wrong, and what the bank answers."""

from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.callers import caller_of
from accounts.api.fields import AccountNumberField
from accounts.reasons import LONGEST_REASON
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.pages import PageFilters
from core.api.representation import given, instant
from core.api.schema import operation
from core.api.serializers import (
    BooleanField,
    ChoiceField,
    InstantField,
    LineField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.views import BankView, caller_pk
from core.db.keyset import position
from transactions.disputes.models import Dispute, DisputeReason, DisputeState
from transactions.disputes.opening import open_dispute
from transactions.disputes.selectors import disputes_about, disputes_of
from transactions.selectors import transfer_of

_DISPUTE: Final = {
    "number": "17",
    "transfer_id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55",
    "account": "100000000017",
    "reason": "not_received",
    "words": "The parcel never came",
    "state": "accepted",
    "opened_at": "2026-03-02T10:00:00Z",
    "answered_at": "2026-03-04T11:30:00Z",
    "answered_by": "Anjali Bhatt",
    "answer": "The shop confirms that it did not send it.",
}
_NEW: Final = {name: value for name, value in _DISPUTE.items() if not name.startswith("answer")} | {
    "state": "open"
}
_READ: Final = Access(CUSTOMER, scope="accounts:read")


class DisputeBody(StrictSerializer):
    """What is wrong with a movement; `other` needs words."""

    reason = ChoiceField(DisputeReason.values)
    words = LineField(longest=LONGEST_REASON, required=False, default="")


class DisputeAnswer(Serializer[Any]):
    """A case, and what the bank answered, by whom and why."""

    number = TextField()
    transfer_id = UuidField()
    account = AccountNumberField()
    reason = ChoiceField(DisputeReason.values)
    words = TextField(required=False)
    state = ChoiceField(DisputeState.values)
    opened_at = InstantField()
    answered_at = InstantField(required=False)
    answered_by = TextField(required=False)
    answer = TextField(required=False)


class DisputesAnswer(Serializer[Any]):
    """A page of cases, the latest first."""

    disputes = DisputeAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class MovementDisputesAnswer(Serializer[Any]):
    """The cases about a movement, the latest first."""

    disputes = DisputeAnswer(many=True)


class DisputeList(BankView):
    """The disputes about the caller's accounts."""

    access: ClassVar = {"GET": _READ}
    filters = PageFilters

    @operation(answer=DisputesAnswer, example={"disputes": [_DISPUTE], "has_more": False})
    def get(self, request: Request) -> Response:
        """List the movements of your accounts that were disputed, and what came of it."""
        page = self.page(request)
        found = disputes_of(caller_pk(request), after=page.after, limit=page.sought)
        answer = page.answer(
            "disputes", found, show=_shown, position=lambda one: position(one, by="opened_at")
        )
        return Response(answer)


class MovementDisputes(BankView):
    """Disputes of one movement."""

    access: ClassVar = {"GET": _READ, "POST": Access(CUSTOMER, scope="transfers:write")}

    @operation(answer=MovementDisputesAnswer, example={"disputes": [_DISPUTE]})
    def get(self, request: Request, transfer_id: UUID) -> Response:
        """List the disputes of a movement of your accounts."""
        user = caller_pk(request)
        transfer_of(user, transfer_id=transfer_id)
        found = disputes_about(transfer_id, user=user)
        return Response({"disputes": [_shown(one) for one in found]})

    @operation(
        answer=DisputeAnswer,
        example=_NEW,
        status=HTTPStatus.CREATED,
        repeated=HTTPStatus.OK,
        body=DisputeBody,
        body_example={"reason": "not_received", "words": "The parcel never came"},
    )
    def post(self, request: Request, transfer_id: UUID) -> Response:
        """Say that a movement of one of your accounts is wrong; the bank looks into it.

        For 120 days after it was recorded. A movement has one unanswered case: saying the same
        again answers with it and 200, saying something else is refused with its number
        (`dispute_under_way`). No money moves by it: see the reversal requests.
        """
        body = DisputeBody.read(request.data)
        dispute, is_new = open_dispute(
            caller_of(request),
            transfer_id=transfer_id,
            reason=DisputeReason(body["reason"]),
            words=body["words"],
            now=clock.now(),
        )
        return Response(_shown(dispute), status=HTTPStatus.CREATED if is_new else HTTPStatus.OK)


def _shown(dispute: Dispute) -> dict[str, Any]:
    return given(
        number=str(dispute.pk),
        transfer_id=str(dispute.transfer_id),
        account=str(dispute.account),
        reason=dispute.why,
        words=dispute.words or None,
        state=dispute.state,
        opened_at=instant(dispute.opened_at),
        answered_at=dispute.answered_at and instant(dispute.answered_at),
        answered_by=dispute.answered_by and dispute.answered_by.full_name,
        answer=dispute.answer or None,
    )
