"""Files of payments."""

from functools import partial
from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.callers import caller_of
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.parsers import StrictJSONParser
from core.api.representation import given
from core.api.schema import operation
from core.api.serializers import (
    ChoiceField,
    IntegerField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.step_up import step_up_of
from core.api.views import BankView
from transactions.bulk.files import PaymentShown, receive_and_send
from transactions.bulk.pain001 import MOST_BYTES, MOST_PAYMENTS

_STATUSES: Final = {"faulty": "refused"}
_EXAMPLE: Final = (
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>…'
    "</CstmrCdtTrfInitn></Document>"
)


class FileParser(StrictJSONParser):
    """Take a body with room for a file, of which JSON may write each letter as six."""

    most_bytes = 4 * MOST_BYTES


class FileField(TextField):
    """The text of a file."""

    def to_internal_value(self, data: Any) -> bytes:
        """Return the file.

        Raises:
            ValidationError: it is empty, too long, or no text.
        """
        content: bytes = super().to_internal_value(data).encode()
        if not content:
            self.refuse("text_too_short", "The file is empty.")
        if len(content) > MOST_BYTES:
            self.refuse("text_too_long", f"The file has more than {MOST_BYTES // 1024**2} MiB.")
        return content

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        return {"type": "string", "minLength": 1, "maxLength": MOST_BYTES}


class PaymentFileBody(StrictSerializer):
    """A file of payments, pain.001 of ISO 20022, as text."""

    pain001 = FileField()


class FilePaymentAnswer(Serializer[Any]):
    """What came of one payment: its id, or why it was not made."""

    status = ChoiceField(("posted", "refused", "unanswered"))
    id = UuidField(required=False)
    reference = TextField(required=False)
    code = TextField(required=False)
    detail = TextField(required=False)


class PaymentFileAnswer(Serializer[Any]):
    """What came of each payment, in the file's order."""

    id = UuidField()
    message_id = TextField(required=False)
    results = FilePaymentAnswer(many=True)
    posted = IntegerField(least=0, most=MOST_PAYMENTS)
    refused = IntegerField(least=0, most=MOST_PAYMENTS)
    unanswered = IntegerField(least=0, most=MOST_PAYMENTS)


class PaymentFiles(BankView):
    """Files of payments."""

    access: ClassVar = {"POST": Access(CUSTOMER, scope="batches:write")}
    parser_classes = (FileParser,)

    @operation(
        answer=PaymentFileAnswer,
        example={
            "id": "0a6f6c1e-9c1f-4f6e-8f0b-1f2d3c4b5a69",
            "message_id": "WAGES-2026-03",
            "results": [
                {
                    "status": "posted",
                    "id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55",
                    "reference": "W-2026-03-0001",
                },
                {
                    "status": "refused",
                    "reference": "W-2026-03-0002",
                    "code": "insufficient_funds",
                    "detail": "There is not enough money in the account.",
                },
            ],
            "posted": 1,
            "refused": 1,
            "unanswered": 0,
        },
        body=PaymentFileBody,
        body_example={"pain001": _EXAMPLE},
        step_up=True,
    )
    def post(self, request: Request) -> Response:
        """Send the payments of a file, up to 1,000, each with its own result.

        The key is made of the file: sent again it moves nothing again, and makes just those that
        were `unanswered`. `EndToEndId` is the payment's reference and taken once only, but for
        `NOTPROVIDED`. Each payment is booked by itself, whatever `BtchBookg` says, on the day it is
        sent: those for a later day are refused. A file that is not what it says is refused whole.
        """
        body = PaymentFileBody.read(request.data)
        shown = receive_and_send(
            caller_of(request),
            content=body["pain001"],
            step_up=partial(step_up_of, request),
            now=clock.now(),
        )
        return Response(
            given(
                id=str(shown.file.pk),
                message_id=shown.file.message_id or None,
                results=[_result(one) for one in shown.payments],
                posted=shown.counted("posted"),
                refused=shown.counted("refused", "faulty"),
                unanswered=shown.counted("unanswered"),
            )
        )


def _result(payment: PaymentShown) -> dict[str, Any]:
    return given(
        status=_STATUSES.get(payment.status, payment.status),
        id=payment.transfer_id or None,
        reference=payment.reference or None,
        code=payment.code or None,
        detail=payment.words or None,
    )
