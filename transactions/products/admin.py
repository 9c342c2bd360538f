"""Products in the Django admin: their terms by date, and asking for new ones."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.terms import TermsAdmin
from transactions.products.changing import accounts_affected, ask_terms
from transactions.products.forms import TermsForm, request_in
from transactions.products.models import ProductTerms


@admin.register(ProductTerms)
class ProductTermsAdmin(TermsAdmin):
    """Terms, which are never changed: new ones follow them."""

    form_of_new = TermsForm
    list_display = ("product", "currency", "effective_from", "rate", "monthly", "affects")
    list_filter = ("product", "currency")
    list_display_links = ("product", "effective_from")
    fields = (
        "product",
        "currency",
        "effective_from",
        "rate",
        "monthly",
        "affects",
        "asked_by",
        "approved_by",
    )
    readonly_fields = ("rate", "monthly", "affects")

    @admin.display(description=gettext_lazy("interest a year"), ordering="rate_ppm")
    def rate(self, terms: ProductTerms) -> str:
        """Show the rate in percent."""
        percent = (Decimal(terms.rate_ppm) / 10_000).normalize()
        return f"{percent:f} %"

    @admin.display(description=gettext_lazy("monthly fee"), ordering="monthly_fee")
    def monthly(self, terms: ProductTerms) -> str:
        """Show the fee."""
        return str(terms.fee) if terms.monthly_fee else _("none")

    @admin.display(description=gettext_lazy("affects"))
    def affects(self, terms: ProductTerms) -> str:
        """Show how many accounts the terms are about."""
        count = accounts_affected(terms.product, terms.currency)
        return ngettext("%d account", "%d accounts", count) % count

    def ask(self, asked: Mapping[str, Any], *, maker: int, now: datetime) -> object:
        """Ask for new terms of a product."""
        return ask_terms(request_in(asked), maker=maker, reason=asked["reason"], now=now)
