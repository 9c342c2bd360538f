"""The caller's payees, and asking whose an account is."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar, Final
from uuid import UUID

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.callers import caller_of
from accounts.api.fields import AccountNumberField
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.keys import REPLAYED
from core.api.pages import PageFilters
from core.api.representation import decimal, given, instant
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    BooleanField,
    CurrencyField,
    InstantField,
    LineField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.step_up import step_up_of
from core.api.views import BankView, caller_pk
from core.db.keyset import position
from transactions.api.accounts import known_account_number
from transactions.payments.cooling import cooling_limit, cooling_until
from transactions.payments.models import Payee
from transactions.payments.parties import payee_account
from transactions.payments.payees import (
    LONGEST_NICKNAME,
    add_payee,
    payee_of_person,
    payees_of,
    remove_payee,
    rename_payee,
)

PAYEE: Final = {
    "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "account": "100000000025",
    "currency": "INR",
    "nickname": "Vikram (rent)",
    "name": "Vikram S.",
    "added_at": "2026-03-02T09:30:00Z",
    "cooling_until": "2026-03-03T09:30:00Z",
    "daily_limit_while_cooling": "50000.00",
}
_READ: Final = Access(CUSTOMER, scope="accounts:read")
_WRITE: Final = Access(CUSTOMER, scope="payees:write")


class PayeeBody(StrictSerializer):
    """A payee to add."""

    account = AccountNumberField()
    nickname = LineField(least=1, longest=LONGEST_NICKNAME)


class PayeeName(StrictSerializer):
    """Another name for a payee."""

    nickname = LineField(least=1, longest=LONGEST_NICKNAME)


class PayeeAnswer(Serializer[Any]):
    """A payee. ``name`` is its owner's, shortened, as it was when the payee was added."""

    id = UuidField()
    account = AccountNumberField()
    currency = CurrencyField()
    nickname = TextField()
    name = TextField(required=False)
    added_at = InstantField()
    cooling_until = InstantField(required=False)
    daily_limit_while_cooling = AmountField(required=False)


class PayeesAnswer(Serializer[Any]):
    """A page of payees, newest first."""

    payees = PayeeAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class ConfirmationAnswer(Serializer[Any]):
    """Whose an account is: enough of the name to notice a mistake."""

    account = AccountNumberField()
    currency = CurrencyField()
    name = TextField(required=False)


class PayeeList(BankView):
    """The caller's payees."""

    access: ClassVar = {"GET": _READ, "POST": _WRITE}
    filters = PageFilters

    @operation(answer=PayeesAnswer, example={"payees": [PAYEE], "has_more": False})
    def get(self, request: Request) -> Response:
        """List payees, newest first."""
        page = self.page(request)
        found = payees_of(caller_pk(request), after=page.after, limit=page.sought)
        cooling = cooling_until(found, now=clock.now())
        answer = page.answer(
            "payees",
            found,
            show=lambda payee: _payee(payee, cooling),
            position=lambda payee: position(payee, by="added_at"),
        )
        return Response(answer)

    @operation(
        answer=PayeeAnswer,
        example=PAYEE,
        status=HTTPStatus.CREATED,
        body=PayeeBody,
        body_example={"account": "100000000025", "nickname": "Vikram (rent)"},
        step_up=True,
    )
    def post(self, request: Request) -> Response:
        """Add a payee.

        Needs a one-time code, except with an API key. For a day your accounts pay a new payee only
        `daily_limit_while_cooling` a day. Adding the same again answers with the same payee.
        """
        body = PayeeBody.read(request.data)
        now = clock.now()
        payee, is_new = add_payee(caller_of(request), **body, step_up=step_up_of(request), now=now)
        headers = {"Location": reverse("api-payee", args=[payee.pk])}
        if not is_new:
            headers[REPLAYED] = "true"
        shown = _payee(payee, cooling_until([payee], now=now))
        return Response(shown, status=HTTPStatus.CREATED, headers=headers)


class PayeeDetail(BankView):
    """One of the caller's payees."""

    access: ClassVar = {"GET": _READ, "PATCH": _WRITE, "DELETE": _WRITE}

    @operation(answer=PayeeAnswer, example=PAYEE)
    def get(self, request: Request, payee_id: UUID) -> Response:
        """Show a payee."""
        return _shown(payee_of_person(caller_pk(request), payee=payee_id))

    @operation(
        answer=PayeeAnswer, example=PAYEE, body=PayeeName, body_example={"nickname": "Vikram"}
    )
    def patch(self, request: Request, payee_id: UUID) -> Response:
        """Give a payee another name."""
        body = PayeeName.read(request.data)
        nickname = body["nickname"]
        return _shown(rename_payee(caller_pk(request), payee=payee_id, nickname=nickname))

    @operation(answer=None, status=HTTPStatus.NO_CONTENT)
    def delete(self, request: Request, payee_id: UUID) -> Response:
        """Remove a payee. One that cools off goes on cooling off."""
        remove_payee(caller_pk(request), payee=payee_id)
        return Response(status=HTTPStatus.NO_CONTENT)


class PayeeConfirmation(BankView):
    """Whose an account is."""

    access: ClassVar = {"GET": _READ}

    @operation(
        answer=ConfirmationAnswer,
        example={"account": "100000000025", "currency": "INR", "name": "Vikram S."},
    )
    def get(self, request: Request, number: str) -> Response:  # noqa: ARG002  # DRF passes it
        """Confirm a payee: look whose an account is before you pay it."""
        found = payee_account(known_account_number(number))
        return Response(
            given(account=str(found.number), currency=found.currency, name=found.name or None)
        )


def _shown(payee: Payee) -> Response:
    return Response(_payee(payee, cooling_until([payee], now=clock.now())))


def _payee(payee: Payee, cooling: Mapping[int, datetime]) -> dict[str, Any]:
    until = cooling.get(payee.account)
    return given(
        id=str(payee.pk),
        account=str(payee.account),
        currency=payee.currency,
        nickname=payee.nickname,
        name=payee.name or None,
        added_at=instant(payee.added_at),
        cooling_until=None if until is None else instant(until),
        daily_limit_while_cooling=None if until is None else decimal(cooling_limit(payee.currency)),
    )
