"""What the bank knows of the caller."""

from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.branches import BRANCH, BranchAnswer, branch_shown
from accounts.api.callers import caller_of
from accounts.api.fields import UserIdField
from accounts.api.views import HeadOfficeView
from accounts.callers import acting_as
from accounts.models import User, UserStatus
from accounts.roles import ROLES
from accounts.selectors import person_known
from accounts.services import change_phone
from accounts.standing import role_of
from core.api.access import ADMIN, CUSTOMER, EMPLOYEE, Access
from core.api.representation import given, instant
from core.api.schema import operation
from core.api.serializers import ChoiceField, InstantField, StrictSerializer, TextField
from core.api.views import caller_pk

PERSON: Final = {
    "user_id": "20100000017",
    "full_name": "Asha Rao",
    "email": "asha@example.org",
    "phone": "+919820012345",
    "role": "customer",
    "status": "active",
    "branch": BRANCH,
    "joined_at": "2026-03-02T09:30:00Z",
}


class PersonAnswer(Serializer[Any]):
    """A person, as the bank knows them. What it does not know is left out."""

    user_id = UserIdField()
    full_name = TextField()
    email = TextField(required=False)
    phone = TextField(required=False)
    role = ChoiceField(ROLES)
    status = ChoiceField(UserStatus.values)
    branch = BranchAnswer(required=False)
    joined_at = InstantField()


class MeBody(StrictSerializer):
    """What people change about themselves. E-mail address and password have their own pages."""

    phone = TextField(help_text="With + and the country's code; empty to forget it.")


class Me(HeadOfficeView):
    """The caller."""

    access: ClassVar = {
        "GET": Access(CUSTOMER, EMPLOYEE, ADMIN, scope="accounts:read"),
        "PATCH": Access(CUSTOMER, EMPLOYEE, ADMIN),
    }

    @operation(answer=PersonAnswer, example=PERSON)
    def get(self, request: Request) -> Response:
        """Show what the bank knows of you."""
        return Response(person_shown(person_known(caller_pk(request))))

    @operation(
        body=MeBody,
        body_example={"phone": "+91 98200 12345"},
        answer=PersonAnswer,
        example=PERSON,
    )
    def patch(self, request: Request) -> Response:
        """Change your telephone number."""
        body = MeBody.read(request.data)
        with acting_as(caller_of(request)):
            change_phone(caller_pk(request), phone=body["phone"])
        return Response(person_shown(person_known(caller_pk(request))))


def person_shown(person: User) -> dict[str, Any]:
    """Return a person as the API shows them."""
    return given(
        user_id=str(person.number),
        full_name=person.full_name,
        email=person.email,
        phone=person.phone or None,
        role=role_of(person),
        status=person.status,
        branch=None if person.branch is None else branch_shown(person.branch),
        joined_at=instant(person.date_joined),
    )
