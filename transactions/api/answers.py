"""What answers about money look like, for the OpenAPI: members and examples."""

from typing import Any, Final

from rest_framework.serializers import Serializer

from accounts.api.fields import AccountNumberField
from accounts.models import AccountStatus
from core.api.serializers import (
    AmountField,
    BooleanField,
    ChoiceField,
    CurrencyField,
    InstantField,
    ListField,
    TextField,
    UuidField,
)

ACCOUNT: Final = {
    "number": "100000000017",
    "product": "current account",
    "branch": "MUM",
    "currency": "INR",
    "status": "open",
    "balance": "12500.00",
    "held": "0.00",
    "available": "12500.00",
}
ENTRY: Final = {
    "transfer_id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55",
    "side": "debit",
    "amount": "1250.50",
    "balance_after": "12500.00",
    "counterparty_account": "100000000025",
    "counterparty_name": "Vikram S.",
    "kind": "transfer",
    "channel": "api",
    "memo": "rent March",
    "event_at": "2026-03-02T09:30:00Z",
    "recorded_at": "2026-03-02T09:30:00.123000Z",
}


class AccountAnswer(Serializer[Any]):
    """An account with what is in it. ``available`` is missing where there is no floor."""

    number = AccountNumberField()
    product = TextField(help_text="As its holder calls it, else the product's name.")
    branch = TextField()
    currency = CurrencyField()
    status = ChoiceField(AccountStatus.values)
    balance = AmountField(signed=True)
    held = AmountField()
    available = AmountField(signed=True, required=False)


class AccountsAnswer(Serializer[Any]):
    """Accounts, and the branches that do not answer: theirs are missing."""

    accounts = AccountAnswer(many=True)
    unavailable_branches = ListField(child=TextField(), most=1000, required=False)


class EntryAnswer(Serializer[Any]):
    """One entry of a statement. Members without a value are missing."""

    transfer_id = UuidField()
    side = ChoiceField(("debit", "credit"))
    amount = AmountField()
    balance_after = AmountField(signed=True, required=False)
    counterparty_account = AccountNumberField()
    counterparty_name = TextField(required=False)
    kind = TextField()
    channel = TextField()
    memo = TextField(required=False)
    event_at = InstantField()
    recorded_at = InstantField()


class StatementAnswer(Serializer[Any]):
    """A page of a statement, newest first."""

    account = AccountAnswer()
    entries = EntryAnswer(many=True)
    has_more = BooleanField()
    next_cursor = TextField(required=False)
