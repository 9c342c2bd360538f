"""The forms of the counter: tellers book cash, and bring it from the vault."""

from typing import Any, Final, Literal, cast
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.numbers import parse_account_number
from core.amounts import parse_typed_amount
from core.errors import DomainError
from core.money import CURRENCIES
from core.text import one_line
from transactions.branches.registry import nodes
from transactions.cash import CashFilling, CashRequest
from transactions.chart import Place
from transactions.ledger.posting import Channel

LONGEST_MEMO: Final = 140
_PLACES: Final = {"till": Place.TILL, "machine": Place.MACHINE}


class CounterForm(forms.Form):
    """What both forms of the counter have. The token lets each move cash once."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    amount = forms.CharField(label=_("Amount"))
    currency = forms.ChoiceField(label=_("Currency"), choices=[(code, code) for code in CURRENCIES])

    def clean(self) -> dict[str, Any]:
        """Read the amount in its currency."""
        cleaned = super().clean() or {}
        if {"amount", "currency"} <= cleaned.keys():
            try:
                cleaned["amount"] = parse_typed_amount(cleaned["amount"], cleaned["currency"])
            except DomainError as error:
                self.refuse(error)
        return cleaned

    def refuse(self, error: DomainError) -> None:
        """Show why the bank refused, beside the field at fault."""
        field = error.field if error.field in self.fields else None
        self.add_error(field, ValidationError(error.message, code=error.code))

    @property
    def key(self) -> str:
        """The idempotency key of a form without faults."""
        return f"form:{self.cleaned_data['token']}"


class BookingForm(CounterForm):
    """Cash of a customer."""

    account = forms.CharField(label=_("Account"), help_text=_("12 digits."))
    memo = forms.CharField(label=_("Message"), required=False)
    field_order = ("token", "account", "amount", "currency", "memo")

    def clean_account(self) -> int:
        """Read the account's number."""
        try:
            return parse_account_number(self.cleaned_data["account"])
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error

    def clean_memo(self) -> str | None:
        """Read the message; an empty one is none."""
        try:
            return one_line(self.cleaned_data["memo"], longest=LONGEST_MEMO, field="memo") or None
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error

    def request(self, *, teller: int) -> CashRequest:
        """Return what a form without faults asks for."""
        return CashRequest(
            user=teller,
            key=self.key,
            channel=Channel.TELLER,
            account=self.cleaned_data["account"],
            amount=self.cleaned_data["amount"],
            memo=self.cleaned_data["memo"],
        )


class FillingForm(CounterForm):
    """Cash from a branch's vault."""

    node = forms.ChoiceField(label=_("Branch"))
    place = forms.ChoiceField(
        label=_("To"), choices=[("machine", _("cash machine")), ("till", _("till"))]
    )
    field_order = ("token", "node", "place", "amount", "currency")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.ChoiceField", self.fields["node"])
        field.choices = [
            (node, _("Head office") if node == "default" else node) for node in nodes()
        ]

    def filling(self, *, teller: int) -> CashFilling:
        """Return what a form without faults asks for."""
        place = cast("Literal[Place.TILL, Place.MACHINE]", _PLACES[self.cleaned_data["place"]])
        return CashFilling(
            user=teller,
            key=self.key,
            node=self.cleaned_data["node"],
            place=place,
            amount=self.cleaned_data["amount"],
        )
