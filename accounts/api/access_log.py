"""Who of the bank's staff looked at the caller's data."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.views import HeadOfficeView
from accounts.models import Viewing
from accounts.selectors import viewings_of
from core.api.access import ADMIN, CUSTOMER, EMPLOYEE, Access
from core.api.pages import PageFilters
from core.api.representation import given, instant
from core.api.schema import operation
from core.api.serializers import BooleanField, InstantField, TextField
from core.api.views import caller_pk


class LookAnswer(Serializer[Any]):
    """A look at the caller's data."""

    viewed_at = InstantField()
    viewer = TextField(help_text="The name of who looked.")
    what = TextField()
    reason = TextField(required=False)


class LooksAnswer(Serializer[Any]):
    """A page of looks, newest first."""

    looks = LookAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class AccessLog(HeadOfficeView):
    """Looks at the caller's data."""

    access: ClassVar = {"GET": Access(CUSTOMER, EMPLOYEE, ADMIN, scope="accounts:read")}
    filters = PageFilters

    @operation(
        answer=LooksAnswer,
        example={
            "looks": [
                {
                    "viewed_at": "2026-03-02T09:30:00Z",
                    "viewer": "Meera Joshi",
                    "what": "personal data",
                }
            ],
            "has_more": False,
        },
    )
    def get(self, request: Request) -> Response:
        """List who of our staff looked at your data, newest first."""
        page = self.page(request)
        before = page.after[0] if page.after else None
        found = viewings_of(caller_pk(request), before=before, limit=page.sought)
        return Response(page.answer("looks", found, show=_look, position=lambda one: [one.pk]))


def _look(viewing: Viewing) -> dict[str, Any]:
    return given(
        viewed_at=instant(viewing.viewed_at),
        viewer=viewing.viewer.full_name,
        what=viewing.what,
        reason=viewing.reason or None,
    )
