"""The forms that move money. Each has a token, which lets it move money once."""

from collections.abc import Callable, Sequence
from datetime import date
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
from transactions.payments.offering import PaymentOffer
from transactions.selectors import AccountView
from transactions.services import Channel, TransferRequest

Value = TypeVar("Value")
NOW: Final = "now"
LATER: Final = "later"
REPEAT: Final = "repeat"
DAY_INPUT: Final = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
LONGEST_MEMO: Final = 140
_SENT_ALREADY: Final = "key_reused"
# Where a refusal's field is shown, when the form has no field of this name.
_SHOWN_AT: Final = {"currency": "credit_account"}


def amount_field() -> forms.CharField:
    """Return a field for an amount in any local writing."""
    return forms.CharField(
        label=_("Amount"),
        help_text=_("As you write it: 1250, 1,250.50 or 1.250,50."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("Enter an amount.")},
    )


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


class PaymentForm(OnceForm):
    """What to pay, from where, to whom: an account that is typed, or one of the payees shown.

    ``whose`` it is, signed, so that it can go on after a log-in.
    """

    debit_account = forms.TypedChoiceField(label=_("From"), coerce=int)
    payee = forms.CharField(label=_("Payee"), required=False)
    credit_account = forms.CharField(
        label=_("To account"),
        required=False,
        help_text=_("12 digits, with or without spaces."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    amount = amount_field()
    memo = forms.CharField(
        label=_("Message (optional)"),
        required=False,
        help_text=_("Both of you see it. Up to 140 characters."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    whose = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, offer: PaymentOffer, whose: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer = offer
        self.accounts = offer.accounts
        self.currencies = {account.number: account.currency for account in offer.accounts}
        choices = [(account.number, account_choice(account)) for account in offer.accounts]
        self.fields["debit_account"].choices = choices  # type: ignore[attr-defined]
        self.fields["whose"].initial = whose
        for name in ("payee", "credit_account", "amount", "memo"):
            # Which texts are taken is decided in one place, for pages and API.
            self.fields[name].validators = []

    @property
    def is_other_payee(self) -> bool:
        """Tell whether an account is typed, and none of the payees chosen."""
        return not self["payee"].value()

    def clean_credit_account(self) -> int:
        """Read the account to pay to, from what was chosen or typed."""
        chosen, typed = self.data.get("payee", ""), self.cleaned_data["credit_account"]
        if not chosen and not typed:
            raise ValidationError(_("Choose a payee, or enter the account number to pay to."))
        read = [_read(parse_account_number, text) for text in (chosen, typed) if text]
        if len({*read}) > 1:
            raise ValidationError(
                _("This is another account than the payee's; empty it, or choose another account.")
            )
        return read[0]

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


class TransferForm(PaymentForm):
    """What to send, and when: now, on a day to come, or again and again."""

    when = forms.ChoiceField(
        label=_("When"),
        required=False,
        initial=NOW,
        choices=[
            (NOW, _("Now")),
            (LATER, _("On a day to come")),
            (REPEAT, _("Again and again, as a standing order")),
        ],
        widget=forms.RadioSelect,
    )
    day = forms.DateField(
        label=_("Day"),
        required=False,
        help_text=_("Only for a day to come."),
        widget=DAY_INPUT,
        error_messages={"invalid": _("Enter the day as 2027-03-31.")},
    )

    def clean_day(self) -> date | None:
        """Read the day; it counts only where one is chosen."""
        if self.cleaned_data.get("when") != LATER:
            return None
        day: date | None = self.cleaned_data["day"]
        if day is None:
            raise ValidationError(_("Enter the day on which to send it."))
        return day

    @property
    def is_repeating(self) -> bool:
        """Tell of a form without faults whether it asks for a standing order."""
        return bool(self.cleaned_data["when"] == REPEAT)

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
    amount = amount_field()

    used_already: ClassVar = _(
        "Cash was moved with this form already, and what you see has been changed since. "
        "To move this as well, press again."
    )

    def __init__(self, *args: Any, accounts: Sequence[AccountView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currencies = {account.number: account.currency for account in accounts}
        choices = [(account.number, account_choice(account)) for account in accounts]
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


def account_choice(account: AccountView) -> str:
    """Return an account as one of several to choose: number, currency, what is there."""
    spare = account.balance if account.available is None else account.available
    # On a phone there is room for the first two.
    parts = [f"…{account.number % 10_000:04}", money(spare), account.product.capitalize()]
    if account.status != "open":
        parts.append(account.status)
    return " · ".join(parts)
