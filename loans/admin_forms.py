"""What admins are asked about loans."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from accounts.reasons import LONGEST_REASON
from core.amounts import parse_typed_amount
from core.errors import DomainError
from core.money import Money
from loans.models import OFFERED, Document, LoanProduct, RepaymentMethod
from loans.products import LoanTermsRequest
from loans.replanning import NewPlan
from loans.schedule import MOST_MONTHS, MOST_PPM

_PPM_OF_PERCENT: Final = MOST_PPM // 100
_NOTHING: Final = "amount_not_positive"


class LoanTermsForm(forms.Form):
    """New terms of a loan in a currency, and why."""

    product = forms.ChoiceField(
        label=_("Product"), choices=[(one.value, one.label) for one in OFFERED]
    )
    currency = forms.CharField(
        label=_("Currency"), min_length=3, max_length=3, help_text=_("Three letters, as INR.")
    )
    effective_from = forms.DateField(
        label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    method = forms.ChoiceField(label=_("Repaid by"), choices=RepaymentMethod.choices)
    rate = forms.DecimalField(
        label=_("Interest a year, in percent"),
        min_value=Decimal(0),
        max_value=Decimal(100),
        decimal_places=4,
    )
    least_amount = forms.CharField(label=_("Least amount"))
    most_amount = forms.CharField(label=_("Largest amount"))
    least_months = forms.IntegerField(
        label=_("Shortest term, in months"), min_value=1, max_value=MOST_MONTHS
    )
    most_months = forms.IntegerField(
        label=_("Longest term, in months"), min_value=1, max_value=MOST_MONTHS
    )
    holiday_months = forms.IntegerField(
        label=_("Months at first in which interest alone is paid"),
        min_value=0,
        max_value=MOST_MONTHS,
        initial=0,
    )
    opening_fee = forms.DecimalField(
        label=_("Opening fee, in percent of the amount"),
        min_value=Decimal(0),
        max_value=Decimal(100),
        decimal_places=4,
        initial=0,
    )
    instalment_fee = forms.CharField(label=_("Fee of an instalment"), initial="0")
    grace_days = forms.IntegerField(label=_("Days of grace"), min_value=0, max_value=90, initial=3)
    penalty = forms.CharField(label=_("Penalty of a late instalment"), initial="0")
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)

    def clean_currency(self) -> str:
        """Write the currency as the bank does."""
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        """Read the amounts in the terms' own currency."""
        cleaned = super().clean() or {}
        for name in ("least_amount", "most_amount", "instalment_fee", "penalty"):
            if name in cleaned and "currency" in cleaned:
                cleaned[name] = self._minor(name, cleaned[name], cleaned["currency"])
        return cleaned

    def _minor(self, name: str, text: str, currency: str) -> int:
        try:
            return parse_typed_amount(text, currency).minor
        except DomainError as error:
            if error.code != _NOTHING:
                place = "currency" if error.field == "currency" else name
                self.add_error(place, ValidationError(error.message, code=error.code))
            return 0


class DocumentsForm(forms.Form):
    """Which documents were seen."""

    seen = forms.MultipleChoiceField(
        label=_("Seen"),
        choices=Document.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )


class ProposalForm(forms.Form):
    """What to lend: what was asked for, or less; and why."""

    amount = forms.CharField(label=_("Amount"))
    months = forms.IntegerField(label=_("Months"), min_value=1, max_value=MOST_MONTHS)
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def clean_amount(self) -> Money:
        """Read the amount in the loan's currency."""
        try:
            return parse_typed_amount(self.cleaned_data["amount"], self.currency)
        except DomainError as error:
            raise ValidationError(error.message, code=error.code) from error


class RestructuringForm(forms.Form):
    """From which instalment on a loan is repaid otherwise, how, and why."""

    since = forms.TypedChoiceField(label=_("From the instalment of"), coerce=date.fromisoformat)
    months = forms.IntegerField(label=_("Months left"), min_value=1, max_value=MOST_MONTHS)
    rate = forms.DecimalField(
        label=_("Interest a year, in percent"),
        min_value=Decimal(0),
        max_value=Decimal(100),
        decimal_places=4,
    )
    holiday_months = forms.IntegerField(
        label=_("Months at first in which interest alone is paid"),
        min_value=0,
        max_value=MOST_MONTHS,
        initial=0,
    )
    capitalises = forms.BooleanField(
        label=_("What is overdue becomes principal"),
        required=False,
        help_text=_("Else it stays due."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)

    def __init__(self, *args: Any, days: Sequence[date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(day.isoformat(), date_format(day)) for day in days]
        self.fields["since"].choices = choices  # type: ignore[attr-defined]


def new_plan_in(asked: Mapping[str, Any]) -> NewPlan:
    """Return the plan that a form without faults asks for."""
    return NewPlan(
        since=asked["since"],
        months=asked["months"],
        rate_ppm=int(asked["rate"] * _PPM_OF_PERCENT),
        holiday_months=asked["holiday_months"],
        capitalises=asked["capitalises"],
    )


def terms_request_in(asked: Mapping[str, Any]) -> LoanTermsRequest:
    """Return the terms that a form without faults asks for."""
    plain = (
        "currency",
        "effective_from",
        "least_amount",
        "most_amount",
        "least_months",
        "most_months",
        "holiday_months",
        "instalment_fee",
        "grace_days",
        "penalty",
    )
    return LoanTermsRequest(
        product=LoanProduct(asked["product"]),
        method=RepaymentMethod(asked["method"]),
        rate_ppm=int(asked["rate"] * _PPM_OF_PERCENT),
        opening_fee_ppm=int(asked["opening_fee"] * _PPM_OF_PERCENT),
        **{name: asked[name] for name in plain},
    )
