"""What customers type about loans."""

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core.amounts import parse_typed_amount
from core.errors import DomainError
from core.money import Money
from loans.applying import LONGEST_PURPOSE, LoanWish
from loans.models import OFFERED
from loans.schedule import MOST_MONTHS
from portals.customer.forms import OnceForm, account_choice, amount_field
from transactions.selectors import AccountView

FIGURES = ("product", "account", "amount", "months")


class LoanQuoteForm(forms.Form):
    """Which loan, how much, and for how long; in the currency of the account it goes to."""

    product = forms.ChoiceField(label=_("What for"), choices=())
    account = forms.TypedChoiceField(label=_("Paid out to"), coerce=int)
    amount = amount_field()
    months = forms.IntegerField(
        label=_("Months"),
        min_value=1,
        max_value=MOST_MONTHS,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": _("Enter for how many months.")},
    )

    def __init__(self, *args: Any, accounts: Sequence[AccountView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currencies = {account.number: account.currency for account in accounts}
        choices = [(account.number, account_choice(account)) for account in accounts]
        self.fields["account"].choices = choices  # type: ignore[attr-defined]
        self.fields["product"].choices = [  # type: ignore[attr-defined]
            (one.value, str(one.label).capitalize()) for one in OFFERED
        ]
        self.fields["amount"].validators = []

    def clean(self) -> dict[str, Any]:
        """Read the amount in the account's currency."""
        cleaned = super().clean() or {}
        account, text = cleaned.get("account"), cleaned.get("amount")
        if account is not None and text:
            cleaned["amount"] = self._read("amount", text, self.currencies[account])
        return cleaned

    def refuse(self, error: DomainError) -> None:
        """Show why the bank refused, beside the field at fault."""
        field = {"debit_account": "account", "currency": "account"}.get(
            error.field or "", error.field
        )
        place = field if field in self.fields else None
        self.add_error(place, ValidationError(error.message, code=error.code))

    @property
    def figures(self) -> str:
        """What was typed of the loan, as the query of an address."""
        return urlencode({name: self.data.get(name, "") for name in FIGURES})

    def _read(self, name: str, text: str, currency: str) -> Money | None:
        try:
            return parse_typed_amount(text, currency)
        except DomainError as error:
            self.add_error(name, ValidationError(error.message, code=error.code))
            return None


class LoanApplicationForm(LoanQuoteForm):
    """A loan that is wished for, why, and what its applicant earns."""

    purpose = forms.CharField(
        label=_("What will you do with it?"),
        max_length=LONGEST_PURPOSE,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Say what the loan is for.")},
    )
    monthly_income = forms.CharField(
        label=_("What you earn each month"),
        help_text=_("After tax, in the currency of the account. Enter 0 if you earn nothing."),
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("Enter what you earn, or 0.")},
    )

    nothing: ClassVar = "amount_not_positive"

    def clean(self) -> dict[str, Any]:
        """Read the income, too, which may be nothing."""
        cleaned = super().clean()
        account, text = cleaned.get("account"), cleaned.get("monthly_income")
        if account is not None and text:
            cleaned["monthly_income"] = self._income(text, self.currencies[account])
        return cleaned

    def wish(self) -> LoanWish:
        """Return what a form without faults asks for."""
        asked = self.cleaned_data
        return LoanWish(
            product=asked["product"],
            account=asked["account"],
            amount=asked["amount"],
            months=asked["months"],
            purpose=asked["purpose"],
            monthly_income=asked["monthly_income"],
        )

    def _income(self, text: str, currency: str) -> Money | None:
        try:
            return parse_typed_amount(text, currency)
        except DomainError as error:
            if error.code == self.nothing:
                return Money(0, currency)
            self.add_error("monthly_income", ValidationError(error.message, code=error.code))
            return None


class LoanPaymentForm(OnceForm):
    """What to pay for a loan now, and from where; empty: all that is owed."""

    account = forms.TypedChoiceField(label=_("From"), coerce=int)
    amount = amount_field()

    used_already: ClassVar = _(
        "You paid with this form already, and what you see has been changed since. "
        "To pay this as well, press again."
    )

    def __init__(
        self, *args: Any, accounts: Sequence[AccountView], currency: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        fitting = [account for account in accounts if account.currency == currency]
        choices = [(account.number, account_choice(account)) for account in fitting]
        self.fields["account"].choices = choices  # type: ignore[attr-defined]
        self.fields["amount"].validators = []

    def clean_amount(self) -> Money:
        """Read the amount in the loan's currency."""
        try:
            return parse_typed_amount(self.cleaned_data["amount"], self.currency)
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error
