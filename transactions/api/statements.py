"""Statements, and balances of the past."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.fields import AccountNumberField
from core.api.access import CUSTOMER, Access
from core.api.representation import decimal, given, instant
from core.api.schema import operation
from core.api.serializers import (
    AmountField,
    CurrencyField,
    DateField,
    InstantField,
    StrictField,
    StrictSerializer,
)
from core.api.views import BankView, caller_pk
from transactions.api.accounts import account_shown, known_account_number
from transactions.api.answers import ACCOUNT, ENTRY, EntryAnswer, StatementAnswer
from transactions.api.filters import StatementFilters
from transactions.cursors import cursor_after, read_cursor
from transactions.ledger.codes import Code, Refused
from transactions.selectors import Movement, account_of, balance_at
from transactions.statements.filters import start_of, wanted_of
from transactions.statements.pages import statement

_READ: Final = Access(CUSTOMER, scope="accounts:read")
_FEW: Final = 5


class PastField(StrictField):
    """An instant, or a day, which stands for its end."""

    def to_internal_value(self, data: Any) -> datetime:
        """Return the instant.

        Raises:
            ValidationError: it is neither.
        """
        if isinstance(data, str) and len(data) == len("2026-03-02"):
            return start_of(DateField().to_internal_value(data) + timedelta(days=1))
        return InstantField().to_internal_value(data)

    def json_schema(self) -> dict[str, Any]:
        """Describe what is taken."""
        return {
            "anyOf": [
                {"type": "string", "format": "date"},
                {"type": "string", "format": "date-time"},
            ]
        }


class BalanceFilters(StrictSerializer):
    """Of when a balance is asked for."""

    as_of = PastField(required=False, help_text="A past instant with its zone, or a past day.")


class BalanceAnswer(Serializer[Any]):
    """What was in an account, by all that was booked before ``as_of``; without it, now."""

    account = AccountNumberField()
    balance = AmountField(signed=True)
    currency = CurrencyField()
    as_of = InstantField(required=False)


class LastFiveAnswer(Serializer[Any]):
    """The newest entries."""

    entries = EntryAnswer(many=True)


class StatementPage(BankView):
    """One account's movements."""

    access: ClassVar = {"GET": _READ}
    filters = StatementFilters

    @operation(
        answer=StatementAnswer,
        example={"account": ACCOUNT, "entries": [ENTRY], "has_more": False},
    )
    def get(self, request: Request, number: str) -> Response:
        """Show a page of the statement, newest first.

        Days are the bank's. `date_from` and `date_to` are of the booking, which orders the
        statement; `value_date` is the day on which it happened.
        """
        account = known_account_number(number)
        cursor = self.filtered.get("cursor")
        page = statement(
            caller_pk(request),
            number=account,
            before=None if cursor is None else read_cursor(cursor, account=account),
            limit=self.filtered["limit"],
            wanted=partial(wanted_of, self.filtered),
        )
        answer: dict[str, Any] = {
            "account": account_shown(page.account),
            "entries": [entry_shown(movement) for movement in page.movements],
            "has_more": page.older is not None,
        }
        if page.older is not None:
            answer["next_cursor"] = cursor_after(account, last=page.older)
        return Response(answer)


class LastFive(BankView):
    """One account's newest movements."""

    access: ClassVar = {"GET": _READ}

    @operation(answer=LastFiveAnswer, example={"entries": [ENTRY]})
    def get(self, request: Request, number: str) -> Response:
        """Show the last five entries of the statement."""
        account = known_account_number(number)
        page = statement(caller_pk(request), number=account, before=None, limit=_FEW)
        return Response({"entries": [entry_shown(movement) for movement in page.movements]})


class BalanceShown(BankView):
    """What is in one account, or was."""

    access: ClassVar = {"GET": _READ}
    filters = BalanceFilters

    @operation(
        answer=BalanceAnswer,
        example={
            "account": "100000000017",
            "balance": "12500.00",
            "currency": "INR",
            "as_of": "2026-03-01T18:30:00Z",
        },
    )
    def get(self, request: Request, number: str) -> Response:
        """Show the balance, now or `as_of` a past instant.

        Of the past it counts what was booked before: the answer, once given, never changes. A day
        stands for its end.
        """
        account, at = known_account_number(number), self.filtered.get("as_of")
        if at is None:
            balance = account_of(caller_pk(request), number=account).balance
        else:
            balance = _balance_at(caller_pk(request), account, at)
        return Response(
            given(
                account=str(account),
                balance=decimal(balance),
                currency=balance.currency,
                as_of=None if at is None else instant(at),
            )
        )


def _balance_at(user: int, number: int, at: datetime) -> Any:
    try:
        return balance_at(user, number=number, at=at)
    except Refused as refusal:
        if refusal.reason is Code.INSTANT_IN_FUTURE:
            refusal.field = "as_of"
        raise


def entry_shown(movement: Movement) -> dict[str, Any]:
    """Return an entry as answers show it."""
    party, change = movement.counterparty, movement.change.text
    shown = {
        "transfer_id": str(movement.transfer_id),
        "side": "debit" if change[0] == "-" else "credit",
        "amount": change.removeprefix("-"),
        "counterparty_account": str(party.number),
        "kind": movement.kind,
        "channel": movement.channel,
        "event_at": instant(movement.event_at),
        "recorded_at": instant(movement.recorded_at),
    }
    # Not by `given`: a page has up to a hundred of them.
    if movement.balance_after is not None:
        shown["balance_after"] = movement.balance_after.text
    if party.name:
        shown["counterparty_name"] = party.name
    if movement.memo:
        shown["memo"] = movement.memo
    return shown
