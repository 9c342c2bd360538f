"""The limits of the caller's accounts."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.callers import caller_of
from accounts.api.fields import AccountNumberField
from accounts.callers import acting_as
from core import clock
from core.api.access import CUSTOMER, Access
from core.api.representation import decimal_of, given, instant
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    ChoiceField,
    CurrencyField,
    InstantField,
    StrictSerializer,
)
from core.api.step_up import step_up_of
from core.api.views import BankView, caller_pk
from core.errors import DomainError
from core.money import Money
from transactions.api.accounts import known_account_number
from transactions.ledger.accounts import Limit
from transactions.limits.changing import (
    OWN,
    LimitsRequest,
    LimitsView,
    change_own_limits,
    limits_seen_by,
)

LIMITS: Final = {
    "account": "100000000017",
    "currency": "INR",
    "overdraft_limit": "0.00",
    "daily_limit": "50000.00",
    "transfer_limit": "20000.00",
    "spent_today": "1250.50",
    "raises": [
        {"limit": "daily_limit", "to": "80000.00", "applies_at": "2026-03-03T09:30:00Z"},
    ],
}


class LimitsMissing(DomainError):
    """A request to change limits names none."""

    code = "limits_missing"


class LimitsBody(StrictSerializer):
    """Limits to set; ``null`` lifts one, and what is missing stays as it is."""

    currency = CurrencyField()
    daily_limit = AmountField(required=False, allow_null=True, help_text="Spent in a day at most.")
    transfer_limit = AmountField(required=False, allow_null=True, help_text="Sent at once at most.")


class RaiseAnswer(Serializer[Any]):
    """A limit that is raised once it has cooled off; without ``to`` it is lifted."""

    limit = ChoiceField([str(limit) for limit in OWN])
    to = AmountField(required=False)
    applies_at = InstantField()


class LimitsAnswer(Serializer[Any]):
    """The limits of an account. One that is missing does not exist."""

    account = AccountNumberField()
    currency = CurrencyField()
    overdraft_limit = AmountField(required=False)
    daily_limit = AmountField(required=False)
    transfer_limit = AmountField(required=False)
    spent_today = AmountField()
    raises = RaiseAnswer(many=True)


class AccountLimits(BankView):
    """The limits of one of the caller's accounts."""

    access: ClassVar = {
        "GET": Access(CUSTOMER, scope="accounts:read"),
        "PATCH": Access(CUSTOMER),
    }

    @operation(answer=LimitsAnswer, example=LIMITS)
    def get(self, request: Request, number: str) -> Response:
        """Show what an account may spend, and the raises that cool off."""
        account = known_account_number(number)
        return Response(
            limits_shown(limits_seen_by(caller_pk(request), number=account, now=clock.now()))
        )

    @operation(
        answer=LimitsAnswer,
        example=LIMITS,
        body=LimitsBody,
        body_example={"currency": "INR", "daily_limit": "80000.00"},
        step_up=True,
    )
    def patch(self, request: Request, number: str) -> Response:
        """Change what an account may spend.

        Lowering counts at once. Raising needs a one-time code and counts after 24 hours; until then
        it is among `raises`, and setting the limit again takes its place. For owners.
        """
        account = known_account_number(number)
        body = LimitsBody.read(request.data)
        asked = LimitsRequest(
            user=caller_pk(request),
            account=account,
            currency=body["currency"],
            wanted=limits_read(body),
        )
        with acting_as(caller_of(request)):
            changed = change_own_limits(asked, step_up=step_up_of(request), now=clock.now())
        return Response(limits_shown(changed))


def limits_read(body: Mapping[str, Any]) -> dict[Limit, int | None]:
    """Return the limits that a checked body names, in minor units.

    Raises:
        LimitsMissing: it names none.
        InvalidAmount: blaming the limit.
    """
    named = {limit: body[limit] for limit in Limit if limit in body}
    if not named:
        message = "Name the limits to change."
        raise LimitsMissing(message)
    return {limit: _minor(text, body["currency"], limit) for limit, text in named.items()}


def limits_shown(view: LimitsView) -> dict[str, Any]:
    """Return an account's limits as the API shows them."""
    limits = view.limits
    return given(
        account=str(limits.number),
        currency=limits.currency,
        overdraft_limit=decimal_of(limits.overdraft_limit, limits.currency),
        daily_limit=decimal_of(limits.daily_limit, limits.currency),
        transfer_limit=decimal_of(limits.transfer_limit, limits.currency),
        spent_today=decimal_of(limits.spent, limits.currency),
        raises=[
            given(
                limit=wish.limit,
                to=decimal_of(wish.minor, limits.currency),
                applies_at=instant(wish.applies_at),
            )
            for wish in view.raises
        ],
    )


def _minor(text: str | None, currency: str, limit: Limit) -> int | None:
    """Read a limit, which unlike what is sent may be zero."""
    if text is None:
        return None
    try:
        return Money.parse(text, currency).minor
    except DomainError as error:
        if error.code == "amount_not_positive":
            return 0
        if error.field == "amount":
            error.field = str(limit)
        raise
