"""Becoming a customer by program."""

from typing import Any, ClassVar

from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.fields import BranchCodeField
from accounts.known import asking_head_office
from accounts.registering import LONGEST_NAME
from accounts.signing_up import CannotSignUp, sign_up
from core.api.access import ANYONE, Access
from core.api.schema import operation
from core.api.serializers import ChoiceField, LineField, StrictSerializer, TextField
from core.api.views import BankView

_WAITING = "email_to_be_verified"


class SignUpBody(StrictSerializer):
    """What somebody tells of themselves."""

    email = LineField(longest=254, least=3)
    password = TextField(help_text="At least 15 characters, and none that everybody knows.")
    full_name = LineField(longest=LONGEST_NAME, least=1)
    branch = BranchCodeField(required=False, help_text="Its code; else the head office.")


class SignUpAnswer(Serializer[Any]):
    """What comes next."""

    email = TextField()
    status = ChoiceField([_WAITING])


class SignUp(BankView):
    """Becoming a customer."""

    authentication_classes = ()
    access: ClassVar = {"POST": Access(ANYONE)}

    @operation(
        body=SignUpBody,
        body_example={
            "email": "meera@example.org",
            "password": "violet umbrella on the pier",
            "full_name": "Meera Iyer",
        },
        answer=SignUpAnswer,
        example={"email": "meera@example.org", "status": _WAITING},
        status=202,
    )
    def post(self, request: Request) -> Response:
        """Sign up as a customer.

        Nobody is let in before they have followed the link in the mail that they get. Then they
        log in, and find a current account at their branch. An address that somebody has already
        is answered alike, and its owner gets a mail.
        """
        body = SignUpBody.read(request.data)
        told = {"branch": None, **body}
        try:
            with asking_head_office():
                sign_up(request._request, **told)  # noqa: SLF001  # DRF names it so
        except CannotSignUp as error:
            raise ValidationError(_details(error)) from error
        return Response({"email": told["email"], "status": _WAITING}, status=202)


def _details(error: CannotSignUp) -> dict[str, list[ErrorDetail]]:
    return {
        "non_field_errors" if name == "__all__" else name: [
            ErrorDetail(str(message), code=fault.code or "invalid")
            for fault in faults
            for message in fault.messages
        ]
        for name, faults in error.faults.items()
    }
