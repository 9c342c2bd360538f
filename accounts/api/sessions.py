"""Where the caller is logged in."""

from typing import Any, ClassVar, Final
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.models import Session, SessionKind
from accounts.open_sessions import end_session, sessions_of
from core import clock
from core.api.access import ADMIN, CUSTOMER, EMPLOYEE, Access
from core.api.representation import given, instant
from core.api.schema import operation
from core.api.serializers import BooleanField, ChoiceField, InstantField, TextField, UuidField
from core.api.views import BankView, caller_pk

_SESSION: Final = {
    "id": "5f6f1f0e-8f5a-4c68-9a53-0d0a8d6d0c11",
    "kind": "program",
    "device": "bankproject-terminal/1",
    "address": "203.0.113.7",
    "began_at": "2026-03-02T08:00:00Z",
    "last_used_at": "2026-03-02T09:30:00Z",
    "expires_at": "2026-03-02T16:00:00Z",
    "is_current": True,
}


class SessionAnswer(Serializer[Any]):
    """That the caller is logged in somewhere."""

    id = UuidField()
    kind = ChoiceField(SessionKind.values)
    device = TextField()
    address = TextField(required=False)
    began_at = InstantField()
    last_used_at = InstantField(help_text="To the hour.")
    expires_at = InstantField()
    is_current = BooleanField(help_text="Whether this request belongs to it.")


class SessionsAnswer(Serializer[Any]):
    """Where the caller is logged in."""

    sessions = SessionAnswer(many=True)


class SessionList(BankView):
    """The caller's sessions."""

    access: ClassVar = {"GET": Access(CUSTOMER, EMPLOYEE, ADMIN)}

    @operation(answer=SessionsAnswer, example={"sessions": [_SESSION]})
    def get(self, request: Request) -> Response:
        """Show where you are logged in, the last log-in first."""
        current = request.user.credential  # type: ignore[union-attr]  # a caller
        found = sessions_of(caller_pk(request), now=clock.now())
        return Response({"sessions": [_shown(one, current) for one in found]})


class SessionDetail(BankView):
    """One of the caller's sessions."""

    access: ClassVar = {"DELETE": Access(CUSTOMER, EMPLOYEE, ADMIN)}

    @operation(answer=None, status=204)
    def delete(self, request: Request, session_id: UUID) -> Response:
        """End a session; its tokens and pages are worth nothing within a second."""
        end_session(caller_pk(request), session=session_id)
        return Response(status=204)


def _shown(session: Session, current: str) -> dict[str, Any]:
    return given(
        id=str(session.pk),
        kind=session.kind,
        device=session.device,
        address=session.address,
        began_at=instant(session.began_at),
        last_used_at=instant(session.last_used_at),
        expires_at=instant(session.expires_at),
        is_current=str(session.pk) == current,
    )
