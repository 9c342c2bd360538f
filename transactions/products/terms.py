"""The terms that hold on a day, and whom they are about."""

from collections.abc import Mapping
from datetime import date

from django.db.models import QuerySet

from accounts.models import Account
from transactions.products.models import ProductTerms


def terms_on(day: date) -> QuerySet[ProductTerms]:
    """Return the terms that hold on a day, one for each product and currency that has any."""
    return (
        ProductTerms.objects.filter(effective_from__lte=day)
        .order_by("product", "currency", "-effective_from")
        .distinct("product", "currency")
    )


def accounts_under(terms: ProductTerms) -> QuerySet[Account]:
    """Return the accounts of a product in a currency, closed ones, too."""
    return Account.objects.filter(product=terms.product, currency=terms.currency)


def rates_on(day: date) -> Mapping[int, int]:
    """Return the yearly rates of accounts that earn on a day, in millionths."""
    return {
        number: terms.rate_ppm
        for terms in terms_on(day)
        if terms.rate_ppm
        for number in accounts_under(terms).values_list("number", flat=True)
    }
