"""What admins ask for and others decide about."""

from http import HTTPStatus
from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.access_log import note_requests_viewed
from accounts.api.fields import ObjectField, UserIdField
from accounts.api.views import HeadOfficeView
from accounts.approvals import DECIDE, approval_known, approvals, approve_with_code, refuse
from accounts.models import Approval, ApprovalState, User
from accounts.reasons import LONGEST_REASON
from core import clock
from core.api.access import ADMIN, Access
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
)
from core.api.step_up import step_up_of
from core.api.views import caller_pk

_LOOK: Final = Access(ADMIN, scope="admin:read", permission="accounts.view_approval")
# Two persons, so no API key of one of them.
_DECIDE: Final = Access(ADMIN, permission=DECIDE)
_MAKER: Final = {"user_id": "10000000017", "full_name": "Anjali Bhatt"}
_CHECKER: Final = {"user_id": "10000000025", "full_name": "Vivek Menon"}
REQUEST: Final = {
    "id": "57",
    "action": "accounts.change_role",
    "payload": {"user_id": "20100000017", "was": "customer", "role": "employee"},
    "reason": "begins at the Mumbai counter",
    "maker": _MAKER,
    "asked_at": "2026-03-02T09:30:00Z",
    "state": "waiting",
}
DECIDED: Final = {
    **REQUEST,
    "state": "done",
    "checker": _CHECKER,
    "decided_at": "2026-03-02T10:00:00Z",
    "result": {"was": "customer", "is": "employee"},
}


class StaffAnswer(Serializer[Any]):
    """Somebody who works for the bank."""

    user_id = UserIdField()
    full_name = TextField()


class RequestAnswer(Serializer[Any]):
    """What an admin asks for: `approved` is decided and not done yet; `words` say why not."""

    id = TextField()
    action = TextField()
    payload = ObjectField()
    reason = TextField()
    maker = StaffAnswer()
    asked_at = InstantField()
    state = ChoiceField(ApprovalState.values)
    checker = StaffAnswer(required=False)
    decided_at = InstantField(required=False)
    words = TextField(required=False)
    result = ObjectField(required=False)


class RequestsAnswer(Serializer[Any]):
    """A page of requests, newest first."""

    approvals = RequestAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class RequestFilters(PageFilters):
    """Which requests."""

    state = ChoiceField(ApprovalState.values, required=False)


class RefusalBody(StrictSerializer):
    """Why a request is refused."""

    reason = LineField(least=1, longest=LONGEST_REASON)


class ApprovalList(HeadOfficeView):
    """Requests of admins."""

    access: ClassVar = {"GET": _LOOK}
    filters = RequestFilters

    @operation(answer=RequestsAnswer, example={"approvals": [REQUEST], "has_more": False})
    def get(self, request: Request) -> Response:
        """List what admins asked for, newest first. Whom it is about can see that you looked."""
        page = self.page(request)
        found = approvals(
            state=self.filtered.get("state"),
            before=page.after[0] if page.after else None,
            limit=page.sought,
        )
        note_requests_viewed(page.shown(found), viewer=caller_pk(request), what="list of requests")
        return Response(
            page.answer("approvals", found, show=request_shown, position=lambda one: [one.pk])
        )


class ApprovalDetail(HeadOfficeView):
    """One request."""

    access: ClassVar = {"GET": _LOOK}

    @operation(answer=RequestAnswer, example=REQUEST)
    def get(self, request: Request, approval_id: int) -> Response:
        """Show what an admin asked for, and what came of it.

        Whom it is about can see that you looked.
        """
        found = approval_known(approval_id)
        note_requests_viewed([found], viewer=caller_pk(request), what="request")
        return Response(request_shown(found))


class ApprovalGiving(HeadOfficeView):
    """Approving."""

    access: ClassVar = {"POST": _DECIDE}

    @operation(answer=RequestAnswer, example=DECIDED, step_up=True)
    def post(self, request: Request, approval_id: int) -> Response:
        """Approve what another admin asked for; it is done at once.

        Where a branch does not answer, the state stays `approved` until it is done.
        """
        approve_with_code(
            approval_id, checker=caller_pk(request), step_up=step_up_of(request), now=clock.now()
        )
        return Response(request_shown(approval_known(approval_id)), status=HTTPStatus.OK)


class ApprovalRefusal(HeadOfficeView):
    """Refusing."""

    access: ClassVar = {"POST": _DECIDE}

    @operation(
        body=RefusalBody,
        body_example={"reason": "the papers are not complete"},
        answer=RequestAnswer,
        example={**DECIDED, "state": "refused", "words": "the papers are not complete"},
    )
    def post(self, request: Request, approval_id: int) -> Response:
        """Refuse what another admin asked for."""
        body = RefusalBody.read(request.data)
        reason = body["reason"]
        refuse(approval_id, checker=caller_pk(request), reason=reason)
        return Response(request_shown(approval_known(approval_id)))


def request_shown(approval: Approval) -> dict[str, Any]:
    """Return a request as the API shows it."""
    decided = approval.decided_at
    return given(
        id=str(approval.pk),
        action=approval.action,
        payload=approval.told,
        reason=approval.reason,
        maker=_staff(approval.maker),
        asked_at=instant(approval.asked_at),
        state=approval.state,
        checker=None if approval.checker is None else _staff(approval.checker),
        decided_at=None if decided is None else instant(decided),
        words=approval.words or None,
        result=approval.result if isinstance(approval.result, dict) else None,
    )


def _staff(person: User) -> dict[str, Any]:
    return {"user_id": str(person.number), "full_name": person.full_name}
