"""The caller's standing orders."""

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
from core.api.keys import REPLAYED, idempotency_key
from core.api.pages import PageFilters
from core.api.representation import decimal, given, instant
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    BooleanField,
    ChoiceField,
    CurrencyField,
    DateField,
    InstantField,
    LineField,
    ListField,
    StrictSerializer,
    TextField,
    UuidField,
)
from core.api.step_up import step_up_of
from core.api.views import BankView, caller_pk
from core.db.keyset import position
from core.money import Money
from transactions.api.booking import LONGEST_MEMO
from transactions.payments.models import ScheduledTransfer, StandingOrder
from transactions.payments.schedule import Frequency, Schedule, Weekend
from transactions.payments.standing_orders import (
    DATES_SHOWN,
    StandingOrderRequest,
    cancel_standing_order,
    create_standing_order,
    next_dates,
    pause_standing_order,
    payments_of,
    resume_standing_order,
    skip_date,
    standing_order_of,
    standing_orders_of,
)

BODY: Final = {
    "debit_account": "100000000017",
    "credit_account": "100000000025",
    "amount": "12000.00",
    "currency": "INR",
    "memo": "rent",
    "frequency": "monthly",
    "first_date": "2026-03-31",
    "last_date": "2027-03-31",
    "month_end": True,
    "weekend": "before",
}
_DATES: Final = ("2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30", "2026-07-31")
ORDER: Final = {
    "id": "6fa459ea-ee8a-4ca4-894e-db77e160355e",
    **BODY,
    "state": "active",
    "created_at": "2026-03-02T09:30:00Z",
    "next_dates": [*_DATES],
}
PAYMENT: Final = {
    "date": "2026-03-31",
    "state": "done",
    "queued_at": "2026-03-30T18:30:01Z",
    "tried_at": "2026-03-30T18:30:02Z",
    "transfer_id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55",
}
_READ: Final = Access(CUSTOMER, scope="accounts:read")
_WRITE: Final = Access(CUSTOMER, scope="transfers:write")


class StandingOrderBody(StrictSerializer):
    """A standing order to give."""

    debit_account = AccountNumberField()
    credit_account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    memo = LineField(longest=LONGEST_MEMO, required=False, default="")
    frequency = ChoiceField(Frequency.values)
    first_date = DateField()
    last_date = DateField(required=False, default=None)
    month_end = BooleanField(
        required=False, default=False, help_text="Pay on the last day of the month."
    )
    weekend = ChoiceField(
        Weekend.values,
        required=False,
        default=Weekend.SAME,
        help_text="When to pay if the date is a Saturday, a Sunday or a bank holiday.",
    )


class SkipBody(StrictSerializer):
    """The date to leave out."""

    date = DateField()


class StandingOrderAnswer(Serializer[Any]):
    """A standing order, and the next dates of its schedule."""

    id = UuidField()
    debit_account = AccountNumberField()
    credit_account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    memo = TextField(required=False)
    frequency = ChoiceField(Frequency.values)
    first_date = DateField()
    last_date = DateField(required=False)
    month_end = BooleanField()
    weekend = ChoiceField(Weekend.values)
    state = ChoiceField(StandingOrder.State.values)
    created_at = InstantField()
    next_dates = ListField(child=DateField(), most=DATES_SHOWN)


class StandingOrdersAnswer(Serializer[Any]):
    """A page of standing orders, newest first."""

    standing_orders = StandingOrderAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class PaymentAnswer(Serializer[Any]):
    """What became of one date of a standing order; ``reason`` says why it was not paid."""

    date = DateField()
    state = ChoiceField(ScheduledTransfer.State.values)
    reason = TextField(required=False)
    queued_at = InstantField()
    tried_at = InstantField(required=False)
    transfer_id = UuidField(required=False)


class PaymentsAnswer(Serializer[Any]):
    """A page of a standing order's dates, newest first."""

    payments = PaymentAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)


class StandingOrderList(BankView):
    """The caller's standing orders."""

    access: ClassVar = {"GET": _READ, "POST": _WRITE}
    filters = PageFilters

    @operation(answer=StandingOrdersAnswer, example={"standing_orders": [ORDER], "has_more": False})
    def get(self, request: Request) -> Response:
        """List standing orders, newest first."""
        page = self.page(request)
        found = standing_orders_of(caller_pk(request), after=page.after, limit=page.sought)
        answer = page.answer(
            "standing_orders",
            found,
            show=_order,
            position=lambda order: position(order, by="created_at"),
        )
        return Response(answer)

    @operation(
        answer=StandingOrderAnswer,
        example=ORDER,
        status=HTTPStatus.CREATED,
        body=StandingOrderBody,
        body_example=BODY,
        keyed=True,
        step_up=True,
    )
    def post(self, request: Request) -> Response:
        """Give a standing order.

        Each date is paid once. For lack of money it is tried again every hour until the end of the
        day, and then noted as refused. A large amount needs a one-time code, once for all dates.
        """
        key = idempotency_key(request)
        body = StandingOrderBody.read(request.data)
        asked = _asked(request, body, key=key)
        order, is_new = create_standing_order(asked, step_up=step_up_of(request), now=clock.now())
        headers = {"Location": reverse("api-standing-order", args=[order.pk])}
        if not is_new:
            headers[REPLAYED] = "true"
        return Response(_order(order), status=HTTPStatus.CREATED, headers=headers)


class StandingOrderDetail(BankView):
    """One of the caller's standing orders."""

    access: ClassVar = {"GET": _READ}

    @operation(answer=StandingOrderAnswer, example=ORDER)
    def get(self, request: Request, order_id: UUID) -> Response:
        """Show a standing order."""
        return Response(_order(standing_order_of(caller_pk(request), order=order_id)))


class StandingOrderPayments(BankView):
    """What became of a standing order's dates."""

    access: ClassVar = {"GET": _READ}
    filters = PageFilters

    @operation(answer=PaymentsAnswer, example={"payments": [PAYMENT], "has_more": False})
    def get(self, request: Request, order_id: UUID) -> Response:
        """List the dates that came, newest first, and why one was not paid."""
        page = self.page(request)
        order = standing_order_of(caller_pk(request), order=order_id)
        answer = page.answer(
            "payments",
            payments_of(order, after=page.after, limit=page.sought),
            show=_payment,
            position=lambda payment: position(payment, by="queued_at"),
        )
        return Response(answer)


class StandingOrderPause(BankView):
    """Pausing a standing order."""

    access: ClassVar = {"POST": _WRITE}

    @operation(answer=StandingOrderAnswer, example={**ORDER, "state": "paused"})
    def post(self, request: Request, order_id: UUID) -> Response:
        """Pause a standing order until it is resumed."""
        return Response(_order(pause_standing_order(caller_pk(request), order=order_id)))


class StandingOrderResume(BankView):
    """Resuming a standing order."""

    access: ClassVar = {"POST": _WRITE}

    @operation(answer=StandingOrderAnswer, example=ORDER)
    def post(self, request: Request, order_id: UUID) -> Response:
        """Resume a paused standing order from today; dates that passed are not made up for."""
        order = resume_standing_order(caller_pk(request), order=order_id, now=clock.now())
        return Response(_order(order))


class StandingOrderSkip(BankView):
    """Leaving out a date of a standing order."""

    access: ClassVar = {"POST": _WRITE}

    @operation(
        answer=StandingOrderAnswer,
        example={**ORDER, "next_dates": [*_DATES[1:]]},
        body=SkipBody,
        body_example={"date": "2026-03-31"},
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Leave out the next date; asked for twice, it leaves out one."""
        body = SkipBody.read(request.data)
        day = body["date"]
        order = skip_date(caller_pk(request), order=order_id, day=day, now=clock.now())
        return Response(_order(order))


class StandingOrderCancel(BankView):
    """Cancelling a standing order."""

    access: ClassVar = {"POST": _WRITE}

    @operation(
        answer=StandingOrderAnswer, example={**ORDER, "state": "cancelled", "next_dates": []}
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Cancel a standing order for good, and what of it waits to be sent.

        While a payment is being sent, nothing is cancelled: ask again in a moment.
        """
        return Response(_order(cancel_standing_order(caller_pk(request), order=order_id)))


def _asked(request: Request, body: dict[str, Any], *, key: str) -> StandingOrderRequest:
    return StandingOrderRequest(
        caller=caller_of(request),
        key=key,
        debit=body["debit_account"],
        credit=body["credit_account"],
        amount=Money.parse(body["amount"], body["currency"]),
        schedule=Schedule(
            frequency=Frequency(body["frequency"]),
            first_date=body["first_date"],
            last_date=body["last_date"],
            month_end=body["month_end"],
            weekend=Weekend(body["weekend"]),
        ),
        memo=body["memo"],
    )


def _order(order: StandingOrder) -> dict[str, Any]:
    return given(
        id=str(order.pk),
        debit_account=str(order.debit),
        credit_account=str(order.credit),
        amount=decimal(order.money),
        currency=order.currency,
        memo=order.memo or None,
        frequency=order.frequency,
        first_date=order.first_date.isoformat(),
        last_date=None if order.last_date is None else order.last_date.isoformat(),
        month_end=order.month_end,
        weekend=order.weekend,
        state=order.state,
        created_at=instant(order.created_at),
        next_dates=[day.isoformat() for day in next_dates(order)],
    )


def _payment(payment: ScheduledTransfer) -> dict[str, Any]:
    return given(
        date=str(payment.due_date),
        state=payment.state,
        reason=payment.reason or None,
        queued_at=instant(payment.queued_at),
        tried_at=None if payment.tried_at is None else instant(payment.tried_at),
        transfer_id=None if payment.transfer_id is None else str(payment.transfer_id),
    )
