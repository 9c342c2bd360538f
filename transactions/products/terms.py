"""The terms that hold on a day, and whom they are about."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from django.db.models import QuerySet

from accounts.models import Account, Product
from transactions.products.models import ProductTerms


def terms_on(day: date) -> QuerySet[ProductTerms]:
    """Return the terms that hold on a day, one for each product and currency that has any."""
    return (
        ProductTerms.objects.filter(effective_from__lte=day)
        .order_by("product", "currency", "-effective_from")
        .distinct("product", "currency")
    )


class TermsOfAccount(NamedTuple):
    """An account's product, its terms that hold, and the next ones that are known."""

    product: Product
    terms: ProductTerms | None
    coming: ProductTerms | None


def terms_of(number: int, *, day: date) -> TermsOfAccount | None:
    """Return what holds for an account on a day; None when nobody knows its product."""
    account = Account.objects.filter(pk=number).first()
    if account is None:
        return None
    known = list(ProductTerms.objects.filter(product=account.product, currency=account.currency))
    return TermsOfAccount(
        product=Product(account.product),
        terms=next((terms for terms in known if terms.effective_from <= day), None),
        coming=next((terms for terms in reversed(known) if terms.effective_from > day), None),
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
