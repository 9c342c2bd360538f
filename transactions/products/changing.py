"""Changing the terms of products: one admin asks, another approves, from a day to come."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from django.utils.translation import gettext as _

from accounts.approvals import approvable, ask_approval
from accounts.models import Account, Approval, Product
from core import clock
from core.clock import bank_day
from core.errors import DomainError
from core.money import currency_named
from transactions.products.models import ProductTerms

CHANGE_TERMS: Final = "transactions.change_product_terms"
MOST_PPM: Final = 1_000_000
MOST_FEE: Final = 10**9
"""In minor units: whatever the currency, nobody means more."""
_FURTHEST: Final = timedelta(days=3_653)


class InvalidTerms(DomainError):
    """These terms cannot be; ``code`` says why."""

    code = "invalid_terms"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsRequest:
    """Terms that an admin wishes: a rate in millionths a year, a fee in minor units."""

    product: Product
    currency: str
    effective_from: date
    rate_ppm: int
    monthly_fee: int

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Return the request that a payload stands for."""
        return cls(
            product=Product(payload["product"]),
            currency=payload["currency"],
            effective_from=date.fromisoformat(payload["effective_from"]),
            rate_ppm=payload["rate_ppm"],
            monthly_fee=payload["monthly_fee"],
        )

    def payload(self) -> dict[str, Any]:
        """Return the request as JSON."""
        return {**asdict(self), "effective_from": self.effective_from.isoformat()}


def ask_terms(request: TermsRequest, *, maker: int, reason: str, now: datetime) -> Approval:
    """Ask for terms that hold from a day to come, once another admin approves.

    Raises:
        InvalidTerms: they begin too early or too late, or a figure is out of bounds.
        UnknownCurrency
        InvalidText: the reason is empty, too long, or not one line.
    """
    _check(request, now=now)
    affected = accounts_affected(request.product, request.currency)
    payload = {**request.payload(), "accounts_affected": affected}
    return ask_approval(maker=maker, action=CHANGE_TERMS, payload=payload, reason=reason)


def accounts_affected(product: str, currency: str) -> int:
    """Return how many open accounts terms would be about."""
    found = Account.objects.filter(product=product, currency=currency)
    return found.exclude(status="closed").count()


def _same_terms(payload: Mapping[str, Any]) -> Collection[str]:
    return ["/".join(str(payload[key]) for key in ("product", "currency", "effective_from"))]


@approvable(CHANGE_TERMS, about=_same_terms)
def _change_terms(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:
    request = TermsRequest.read(payload)
    _check(request, now=clock.now())
    terms, _is_new = ProductTerms.objects.update_or_create(
        product=request.product,
        currency=request.currency,
        effective_from=request.effective_from,
        defaults={
            "rate_ppm": request.rate_ppm,
            "monthly_fee": request.monthly_fee,
            "asked_by_id": maker,
            "approved_by_id": checker,
        },
    )
    return {
        "terms": terms.pk,
        "accounts": accounts_affected(request.product, request.currency),
    }


def _check(request: TermsRequest, *, now: datetime) -> None:
    currency_named(request.currency)
    today = bank_day(now)
    if request.effective_from <= today:
        message = _("Terms hold from a day to come: what was earned before stands.")
        raise InvalidTerms(message, code="day_not_ahead", field="effective_from")
    if request.effective_from - today > _FURTHEST:
        message = _("Choose a day within ten years.")
        raise InvalidTerms(message, code="day_too_far", field="effective_from")
    if not 0 <= request.rate_ppm <= MOST_PPM:
        message = _("The rate is between 0 and 100 percent a year.")
        raise InvalidTerms(message, code="invalid_rate", field="rate")
    if not 0 <= request.monthly_fee <= MOST_FEE:
        message = _("The fee is too large, or less than nothing.")
        raise InvalidTerms(message, code="invalid_fee", field="fee")
