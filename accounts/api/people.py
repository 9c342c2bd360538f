"""People, as those who work for the bank see and register them."""

from http import HTTPStatus
from typing import Any, ClassVar, Final

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.access_log import note_all_viewed, note_viewed
from accounts.api.approvals import REQUEST, RequestAnswer, request_shown
from accounts.api.callers import caller_of
from accounts.api.fields import BranchCodeField
from accounts.api.me import PERSON, PersonAnswer, person_shown
from accounts.api.views import HeadOfficeView
from accounts.callers import acting_as
from accounts.models import Role, StatusChange, User, UserStatus
from accounts.numbers import InvalidUserId, parse_user_id
from accounts.reasons import LONGEST_REASON
from accounts.registering import LONGEST_NAME, invite, register_customer
from accounts.roles import ROLES, ask_role
from accounts.selectors import (
    PersonFilter,
    UnknownPerson,
    people,
    person_known,
    person_numbered,
    status_changes,
)
from accounts.status import change_person_status
from core import clock
from core.api.access import ADMIN, EMPLOYEE, Access
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
from core.api.views import caller_pk

_LOOK: Final = Access(EMPLOYEE, ADMIN, scope="admin:read", permission="accounts.view_user")
_LOOK_AT_STAFF: Final = Access(ADMIN, scope="admin:read", permission="accounts.view_user")
_REGISTER: Final = Access(ADMIN, scope="admin:write", permission="accounts.add_user")
_CHANGE: Final = Access(ADMIN, scope="admin:write", permission="accounts.change_user")
_LONGEST_TEXT: Final = 60
_LONGEST_EMAIL: Final = 254
_CHANGED: Final = {
    "status": "suspended",
    "reason": "the card was stolen",
    "changed_by": "Anjali Bhatt",
    "changed_at": "2026-03-02T09:30:00Z",
}


class RegistrationBody(StrictSerializer):
    """A customer to be registered."""

    full_name = LineField(least=1, longest=LONGEST_NAME)
    email = LineField(least=3, longest=_LONGEST_EMAIL)
    branch = TextField(help_text="The branch's code.")


class StatusBody(StrictSerializer):
    """How a person is to stand with the bank, and why."""

    status = ChoiceField(UserStatus.values)
    reason = LineField(least=1, longest=LONGEST_REASON)


class RoleBody(StrictSerializer):
    """What a person is to be to the bank, and why."""

    role = ChoiceField(ROLES)
    reason = LineField(least=1, longest=LONGEST_REASON)


class CustomerFilters(PageFilters):
    """Which customers."""

    status = ChoiceField(UserStatus.values, required=False)
    branch = BranchCodeField(required=False, help_text="Code of their home branch.")
    text = LineField(
        longest=_LONGEST_TEXT, required=False, help_text="A part of name, e-mail or phone."
    )


class PersonFilters(CustomerFilters):
    """Which people."""

    role = ChoiceField(ROLES, required=False)


class PeopleAnswer(Serializer[Any]):
    """A page of people, in the order in which they joined."""

    people = PersonAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class StatusChangeAnswer(Serializer[Any]):
    """How a person's status changed."""

    status = ChoiceField(UserStatus.values)
    reason = TextField()
    changed_by = TextField(required=False)
    changed_at = InstantField()


class PersonDetailAnswer(PersonAnswer):
    """A person, and how their status changed, the last change first."""

    status_changes = StatusChangeAnswer(many=True)


class CustomerList(HeadOfficeView):
    """Customers."""

    access: ClassVar = {"GET": _LOOK, "POST": _REGISTER}
    filters = CustomerFilters

    @operation(answer=PeopleAnswer, example={"people": [PERSON], "has_more": False})
    def get(self, request: Request) -> Response:
        """List customers, in the order in which they joined. They can see that you looked."""
        return _page(self, request, role=Role.CUSTOMER)

    @operation(
        body=RegistrationBody,
        body_example={"full_name": "Asha Rao", "email": "asha@example.org", "branch": "MUM"},
        answer=PersonAnswer,
        example=PERSON,
        status=HTTPStatus.CREATED,
    )
    def post(self, request: Request) -> Response:
        """Register a customer: they get a first account, and a mail to choose a password."""
        body = _checked(RegistrationBody, request)
        with acting_as(caller_of(request)):
            person = register_customer(**body, registered_by=caller_pk(request), now=clock.now())
        where = reverse("api-admin-customer", args=[person.number])
        return Response(
            person_shown(person), status=HTTPStatus.CREATED, headers={"Location": where}
        )


class CustomerDetail(HeadOfficeView):
    """One customer."""

    access: ClassVar = {"GET": _LOOK}

    @operation(answer=PersonDetailAnswer, example={**PERSON, "status_changes": [_CHANGED]})
    def get(self, request: Request, user_id: str) -> Response:
        """Show a customer. They can see that you looked."""
        person = _known(user_id)
        if person.role != Role.CUSTOMER:
            raise UnknownPerson
        return _detail(request, person)


class CustomerInvitation(HeadOfficeView):
    """Inviting customers."""

    access: ClassVar = {"POST": _REGISTER}

    @operation(answer=None, status=HTTPStatus.NO_CONTENT)
    def post(self, request: Request, user_id: str) -> Response:  # noqa: ARG002  # DRF passes it
        """Send a customer whom an admin registered the mail to choose a password again."""
        invite(_known(user_id))
        return Response(status=HTTPStatus.NO_CONTENT)


class PersonList(HeadOfficeView):
    """Everybody whom the bank knows."""

    access: ClassVar = {"GET": _LOOK_AT_STAFF}
    filters = PersonFilters

    @operation(answer=PeopleAnswer, example={"people": [PERSON], "has_more": False})
    def get(self, request: Request) -> Response:
        """List all people, staff included. They can see that you looked."""
        return _page(self, request, role=self.filtered.get("role"))


class PersonDetail(HeadOfficeView):
    """One person."""

    access: ClassVar = {"GET": _LOOK_AT_STAFF}

    @operation(answer=PersonDetailAnswer, example={**PERSON, "status_changes": [_CHANGED]})
    def get(self, request: Request, user_id: str) -> Response:
        """Show a person, staff included. They can see that you looked."""
        return _detail(request, _known(user_id))


class PersonStatus(HeadOfficeView):
    """How a person stands with the bank."""

    access: ClassVar = {"PUT": _CHANGE}

    @operation(
        body=StatusBody,
        body_example={"status": "suspended", "reason": "the card was stolen"},
        answer=PersonDetailAnswer,
        example={**PERSON, "status": "suspended", "status_changes": [_CHANGED]},
    )
    def put(self, request: Request, user_id: str) -> Response:
        """Suspend a person, let them in again, or close them for good.

        Who is not active is refused everywhere within a second, and what they left to be paid is
        held. Only super admins decide about those who work for the bank.
        """
        body = _checked(StatusBody, request)
        person = _known(user_id)
        with acting_as(caller_of(request)):
            change_person_status(
                person.pk,
                status=UserStatus(body["status"]),
                changed_by=person_known(caller_pk(request)),
                reason=body["reason"],
            )
        return _detail(request, _known(user_id))


class PersonRole(HeadOfficeView):
    """What a person is to the bank."""

    access: ClassVar = {"PUT": _CHANGE}

    @operation(
        body=RoleBody,
        body_example={"role": "employee", "reason": "begins at the Mumbai counter"},
        answer=RequestAnswer,
        example=REQUEST,
        status=HTTPStatus.ACCEPTED,
    )
    def put(self, request: Request, user_id: str) -> Response:
        """Ask that a person gets another role. A second admin approves."""
        body = _checked(RoleBody, request)
        approval = ask_role(
            _known(user_id),
            role=body["role"],
            maker=person_known(caller_pk(request)),
            reason=body["reason"],
        )
        where = reverse("api-approval", args=[approval.pk])
        return Response(
            request_shown(approval), status=HTTPStatus.ACCEPTED, headers={"Location": where}
        )


def _checked(kind: type[StrictSerializer], request: Request) -> dict[str, Any]:
    return kind.read(request.data)


def _known(user_id: str) -> User:
    """Return the person of an address; a mistyped user ID is nobody's.

    Raises:
        UnknownPerson
    """
    try:
        number = parse_user_id(user_id)
    except InvalidUserId:
        raise UnknownPerson from None
    return person_numbered(number)


def _page(view: HeadOfficeView, request: Request, *, role: str | None) -> Response:
    page = view.page(request)
    status = view.filtered.get("status")
    wanted = PersonFilter(
        role=role,
        status=None if status is None else UserStatus(status),
        branch=view.filtered.get("branch"),
        text=view.filtered.get("text"),
    )
    found = people(wanted, after=page.after[0] if page.after else 0, limit=page.sought)
    shown = [one.pk for one in page.shown(found)]
    note_all_viewed(viewer=caller_pk(request), subjects=shown, what="list of people")
    return Response(page.answer("people", found, show=person_shown, position=lambda one: [one.pk]))


def _detail(request: Request, person: User) -> Response:
    note_viewed(viewer=caller_pk(request), subject=person.pk, what="personal data")
    changes = [_change(one) for one in status_changes(person.pk)]
    return Response({**person_shown(person), "status_changes": changes})


def _change(change: StatusChange) -> dict[str, Any]:
    return given(
        status=change.status,
        reason=change.reason,
        changed_by=None if change.changed_by is None else change.changed_by.full_name,
        changed_at=instant(change.changed_at),
    )
