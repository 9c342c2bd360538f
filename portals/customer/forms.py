"""The forms that move money. Each has a token, which lets it move money once."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, TypeVar
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.numbers import parse_account_number
from core.amounts import parse_typed_amount
from core.errors import DomainError
from core.money import Money
from core.text import one_line
from portals.templatetags.bank import money
from transactions.cash import CashRequest
from transactions.selectors import AccountView
from transactions.services import Channel, TransferRequest

Value = TypeVar("Value")
LONGEST_MEMO: Final = 140
_SENT_ALREADY: Final = "key_reused"
# Where a refusal's field is shown, when the form has no field of this name.
_SHOWN_AT: Final = {"currency": "credit_account"}


class OnceForm(forms.Form):
    """A form that moves money once, however often it is sent: its token is the idempotency key."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    used_already: ClassVar = _(
        "Money was sent with this form already, and what you see has been changed since. "
        "To send this as well, continue."
    )

    @property
    def token_text(self) -> str:
        """The token of a form without faults."""
        return str(self.cleaned_data["token"])

    @property
    def key(self) -> str:
        """The idempotency key of a form without faults."""
        return f"form:{self.token_text}"

    def entries(self) -> dict[str, str]:
        """Return what was typed."""
        return {name: self.data.get(name, "") for name in self.fields}

    def refuse(self, error: DomainError) -> None:
        """Show why the bank refused, beside the field at fault."""
        if error.code == _SENT_ALREADY:
            self.data = {**self.entries(), "token": str(uuid4())}
            self.add_error(None, ValidationError(self.used_already, code=error.code))
            return
        field = _SHOWN_AT.get(error.field or "", error.field)
        self.add_error(
            field if field in self.fields else None, ValidationError(error.message, code=error.code)
        )


class TransferForm(OnceForm):
    """What to send, from where, to whom."""

    debit_account = forms.TypedChoiceField(label=_("From"), coerce=int)
    credit_account = forms.CharField(
        label=_("To account"),
        help_text=_("12 digits, with or without spaces."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": _("Enter the account number to pay to.")},
    )
    amount = forms.CharField(
        label=_("Amount"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("Enter an amount.")},
    )
    memo = forms.CharField(
        label=_("Message (optional)"),
        required=False,
        help_text=_("Both of you see it. Up to 140 characters."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, accounts: Sequence[AccountView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.accounts = accounts
        self.currencies = {account.number: account.currency for account in accounts}
        choices = [(account.number, _choice(account)) for account in accounts]
        self.fields["debit_account"].choices = choices  # type: ignore[attr-defined]
        for name in ("credit_account", "amount", "memo"):
            # Which texts are taken is decided in one place, for pages and API.
            self.fields[name].validators = []

    def clean_credit_account(self) -> int:
        """Read the payee's account number."""
        return _read(parse_account_number, self.cleaned_data["credit_account"])

    def clean_amount(self) -> Money | None:
        """Read the amount in the currency of the account it is paid from."""
        account = self.cleaned_data.get("debit_account")
        if account is None:
            return None
        currency = self.currencies[account]
        return _read(lambda text: parse_typed_amount(text, currency), self.cleaned_data["amount"])

    def clean_memo(self) -> str | None:
        """Read the message; an empty one is none."""
        text = self.cleaned_data["memo"]
        return _read(lambda text: one_line(text, longest=LONGEST_MEMO, field="memo"), text) or None

    def request(self, *, user: int) -> TransferRequest:
        """Return what was asked for."""
        return TransferRequest(
            user=user,
            key=self.key,
            channel=Channel.WEB,
            debit=self.cleaned_data["debit_account"],
            credit=self.cleaned_data["credit_account"],
            amount=self.cleaned_data["amount"],
            memo=self.cleaned_data["memo"],
        )


class CashForm(OnceForm):
    """Which cash to pay in or to take out. The view says which of the two."""

    account = forms.TypedChoiceField(label=_("Account"), coerce=int)
    amount = forms.CharField(
        label=_("Amount"),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("Enter an amount.")},
    )

    used_already: ClassVar = _(
        "Cash was moved with this form already, and what you see has been changed since. "
        "To move this as well, press again."
    )

    def __init__(self, *args: Any, accounts: Sequence[AccountView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currencies = {account.number: account.currency for account in accounts}
        choices = [(account.number, _choice(account)) for account in accounts]
        self.fields["account"].choices = choices  # type: ignore[attr-defined]
        self.fields["amount"].validators = []

    def clean_amount(self) -> Money | None:
        """Read the amount in the account's currency."""
        account = self.cleaned_data.get("account")
        if account is None:
            return None
        currency = self.currencies[account]
        return _read(lambda text: parse_typed_amount(text, currency), self.cleaned_data["amount"])

    def request(self, *, user: int) -> CashRequest:
        """Return what was asked for."""
        return CashRequest(
            user=user,
            key=self.key,
            channel=Channel.MACHINE,
            account=self.cleaned_data["account"],
            amount=self.cleaned_data["amount"],
        )


def _read(reader: Callable[[str], Value], text: str) -> Value:
    try:
        return reader(text)
    except DomainError as error:
        raise ValidationError(error.message, code=error.code) from error


def _choice(account: AccountView) -> str:
    spare = account.available or account.balance
    return f"{account.product.capitalize()} …{account.number % 10_000:04} · {money(spare)}"
