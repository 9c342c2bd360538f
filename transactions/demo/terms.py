"""What the demo's accounts earn and cost."""

from datetime import datetime, timedelta
from typing import Final

from accounts.models import Product
from core.clock import bank_day
from transactions.products.models import ProductTerms

_SINCE: Final = timedelta(days=400)
# Millionths a year on savings, and what a current account costs a month, in minor units.
_TERMS: Final = {
    "INR": (30_000, 2_500),
    "CZK": (35_000, 4_900),
    "JPY": (2_000, 0),
    "KWD": (22_500, 0),
}


def add_terms(*, now: datetime) -> None:
    """Let savings earn and current accounts cost something, as if that had been so for long."""
    since = bank_day(now) - _SINCE
    for currency, (rate_ppm, fee) in _TERMS.items():
        for product, earns, costs in (
            (Product.SAVINGS, rate_ppm, 0),
            (Product.CURRENT, 0, fee),
        ):
            if not ProductTerms.objects.filter(product=product, currency=currency).exists():
                ProductTerms.objects.create(
                    product=product,
                    currency=currency,
                    effective_from=since,
                    rate_ppm=earns,
                    monthly_fee=costs,
                )
