"""Which transfers to show."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Branch
from accounts.numbers import parse_account_number
from core.amounts import parse_typed_amount
from core.clock import start_of
from core.errors import DomainError
from core.money import CURRENCIES
from core.text import one_line
from portals.templatetags.bank import channel, kind
from transactions.branches.asking import ask_head_office
from transactions.enquiries.transfers import KINDS, TransferFilter, TransferState
from transactions.services import Channel

_ALL: Final = ("", _("all"))
_LONGEST_TEXT: Final = 64
# As amounts are written here where no currency is chosen.
_USUAL_CURRENCY: Final = "INR"

Value = TypeVar("Value")


class TransferSearchForm(forms.Form):
    """Which transfers; what is left empty is left open."""

    first = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    last = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    account = forms.CharField(label=_("Account"), required=False)
    text = forms.CharField(label=_("Note or reference"), required=False)
    currency = forms.ChoiceField(label=_("Currency"), required=False)
    least = forms.CharField(
        label=_("At least"), required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    most = forms.CharField(
        label=_("At most"), required=False, widget=forms.TextInput(attrs={"inputmode": "decimal"})
    )
    kind = forms.ChoiceField(label=_("Kind"), required=False)
    channel = forms.ChoiceField(label=_("By way of"), required=False)
    branch = forms.ChoiceField(label=_("Branch"), required=False)
    state = forms.ChoiceField(label=_("Between branches"), required=False)
    hide_reversed = forms.BooleanField(label=_("Hide what was taken back"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: dict[str, list[tuple[str, str | Promise]]] = {
            "currency": [(code, code) for code in CURRENCIES],
            "kind": [(str(one), kind(one)) for one in KINDS],
            "channel": [(str(one), channel(one)) for one in Channel],
            "branch": _branches(),
            "state": [(str(one), one.label) for one in TransferState],
        }
        for name, known in choices.items():
            cast("forms.ChoiceField", self.fields[name]).choices = [_ALL, *known]
        # Which texts are good is decided in one place.
        for name in ("account", "text", "least", "most"):
            self.fields[name].validators = []

    def clean_account(self) -> int | None:
        """Read the account's number, if there is one."""
        text = self.cleaned_data["account"]
        return _read(lambda: parse_account_number(text)) if text else None

    def clean_text(self) -> str:
        """Read what notes and references are searched for."""
        text = self.cleaned_data["text"]
        return str(_read(lambda: one_line(text, longest=_LONGEST_TEXT, field="text")))

    def clean_least(self) -> Decimal | None:
        """Read the smallest amount."""
        return self._amount("least")

    def clean_most(self) -> Decimal | None:
        """Read the largest amount."""
        return self._amount("most")

    def clean(self) -> dict[str, Any]:
        """Refuse days and amounts in the wrong order."""
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            self.add_error("last", _("This day is before the first one."))
        least, most = cleaned.get("least"), cleaned.get("most")
        if least is not None and most is not None and least > most:
            self.add_error("most", _("This is less than the least."))
        return cleaned

    def wanted(self) -> TransferFilter:
        """Return what a form without faults asks for."""
        asked = self.cleaned_data
        return TransferFilter(
            since=asked["first"] and start_of(asked["first"]),
            until=asked["last"] and _end_of(asked["last"]),
            least=asked["least"],
            most=asked["most"],
            currency=asked["currency"] or None,
            kind=asked["kind"] or None,
            channel=asked["channel"] or None,
            branch=int(asked["branch"]) if asked["branch"] else None,
            account=asked["account"],
            state=TransferState(asked["state"]) if asked["state"] else None,
            hide_reversed=asked["hide_reversed"],
            text=asked["text"] or None,
        )

    def _amount(self, name: str) -> Decimal | None:
        text = self.cleaned_data[name]
        currency = self.cleaned_data.get("currency") or _USUAL_CURRENCY
        return _read(lambda: parse_typed_amount(text, currency).decimal) if text else None


def _branches() -> list[tuple[str, str | Promise]]:
    known = ask_head_office(lambda source: list(Branch.objects.using(source))) or []
    return [(str(one.number), one.name) for one in known]


def _end_of(day: date) -> datetime | None:
    """Return the instant at which a day of the bank is over; None after the last day there is."""
    try:
        return start_of(day + timedelta(days=1))
    except OverflowError:
        return None


def _read(read: Callable[[], Value]) -> Value:
    try:
        return read()
    except DomainError as error:
        raise ValidationError(error.message, code=error.code) from error
