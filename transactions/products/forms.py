"""What admins are asked about the terms of products."""

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import Product
from accounts.reasons import LONGEST_REASON
from core.amounts import parse_typed_amount
from core.errors import DomainError
from transactions.products.changing import MOST_PPM, TermsRequest

_PPM_OF_PERCENT: Final = 10_000


class TermsForm(forms.Form):
    """New terms of a product in a currency, and why."""

    product = forms.ChoiceField(label=_("Product"), choices=Product.choices)
    currency = forms.CharField(
        label=_("Currency"), min_length=3, max_length=3, help_text=_("Three letters, as INR.")
    )
    effective_from = forms.DateField(
        label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    rate = forms.DecimalField(
        label=_("Interest a year, in percent"),
        min_value=Decimal(0),
        max_value=Decimal(MOST_PPM // _PPM_OF_PERCENT),
        decimal_places=4,
    )
    fee = forms.CharField(
        label=_("Monthly fee"), required=False, help_text=_("Leave it empty for none.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON)

    def clean_currency(self) -> str:
        """Write the currency as the bank does."""
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        """Read the fee in the terms' own currency."""
        cleaned = super().clean() or {}
        fee, currency = cleaned.get("fee"), cleaned.get("currency")
        cleaned["monthly_fee"] = 0
        if fee and currency:
            try:
                cleaned["monthly_fee"] = parse_typed_amount(fee, currency).minor
            except DomainError as error:
                self.add_error("fee", ValidationError(error.message, code=error.code))
        return cleaned


def request_in(asked: Any) -> TermsRequest:
    """Return the terms that a form without faults asks for."""
    return TermsRequest(
        product=Product(asked["product"]),
        currency=asked["currency"],
        effective_from=asked["effective_from"],
        rate_ppm=int(asked["rate"] * _PPM_OF_PERCENT),
        monthly_fee=asked["monthly_fee"],
    )
