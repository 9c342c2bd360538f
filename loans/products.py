"""Loan products: the terms that hold on a day, and changing them by two admins."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.approvals import approvable, ask_approval
from accounts.models import Approval
from core import clock
from core.clock import bank_day
from core.errors import DomainError
from core.money import MOST_MINOR, currency_named
from loans.models import OFFERED, LoanProduct, LoanTerms, RepaymentMethod
from loans.schedule import MOST_MONTHS, MOST_PPM

CHANGE_TERMS: Final = "loans.change_loan_terms"
_FURTHEST: Final = timedelta(days=3_653)
_MOST_DAYS_OF_GRACE: Final = 90


class InvalidLoanTerms(DomainError):
    """These terms cannot be; ``code`` says why."""

    code = "invalid_loan_terms"


class NoSuchLoanProduct(DomainError):
    """The bank does not lend so: no product of this name in this currency."""

    code = "unknown_loan_product"
    http_status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanTermsRequest:
    """Terms that an admin wishes; figures as in ``LoanTerms``."""

    product: LoanProduct
    currency: str
    effective_from: date
    method: RepaymentMethod
    rate_ppm: int
    least_amount: int
    most_amount: int
    least_months: int
    most_months: int
    holiday_months: int = 0
    opening_fee_ppm: int = 0
    instalment_fee: int = 0
    grace_days: int = 0
    penalty: int = 0

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> Self:
        """Return the request that a payload stands for."""
        told = {name: payload[name] for name in cls.__dataclass_fields__}
        return cls(**{**told, "effective_from": date.fromisoformat(payload["effective_from"])})

    def payload(self) -> dict[str, Any]:
        """Return the request as JSON."""
        return {**asdict(self), "effective_from": self.effective_from.isoformat()}


def terms_on(day: date) -> QuerySet[LoanTerms]:
    """Return the terms on which the bank lends on a day, one for each product and currency."""
    return (
        LoanTerms.objects.filter(effective_from__lte=day, product__in=OFFERED)
        .order_by("product", "currency", "-effective_from")
        .distinct("product", "currency")
    )


def products_in(currencies: Collection[str], *, now: datetime) -> Sequence[LoanTerms]:
    """Return what the bank lends today in some currencies."""
    return [one for one in terms_on(bank_day(now)) if one.currency in currencies]


def terms_of(product: str, currency: str, *, now: datetime) -> LoanTerms:
    """Return the terms on which the bank lends today.

    Raises:
        NoSuchLoanProduct
    """
    found = terms_on(bank_day(now)).filter(product=product, currency=currency).first()
    if found is None:
        message = _("The bank has no such loan in this currency.")
        raise NoSuchLoanProduct(message, field="product")
    return found


def ask_loan_terms(
    request: LoanTermsRequest, *, maker: int, reason: str, now: datetime
) -> Approval:
    """Ask for terms that hold from a day to come, once another admin approves.

    Raises:
        InvalidLoanTerms: they begin too early or too late, or a figure is out of bounds.
        UnknownCurrency
        InvalidText: the reason is empty, too long, or not one line.
    """
    _check(request, now=now)
    return ask_approval(maker=maker, action=CHANGE_TERMS, payload=request.payload(), reason=reason)


def _same_terms(payload: Mapping[str, Any]) -> Collection[str]:
    return ["/".join(str(payload[key]) for key in ("product", "currency", "effective_from"))]


@approvable(CHANGE_TERMS, about=_same_terms)
def _change_terms(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:
    request = LoanTermsRequest.read(payload)
    _check(request, now=clock.now())
    figures = asdict(request)
    key = {name: figures.pop(name) for name in ("product", "currency", "effective_from")}
    terms, _is_new = LoanTerms.objects.update_or_create(
        **key, defaults={**figures, "asked_by_id": maker, "approved_by_id": checker}
    )
    return {"terms": terms.pk}


def _check(request: LoanTermsRequest, *, now: datetime) -> None:
    currency_named(request.currency)
    _check_day(request.effective_from, today=bank_day(now))
    _within(request.rate_ppm, 0, MOST_PPM, field="rate", code="invalid_rate")
    _within(request.opening_fee_ppm, 0, MOST_PPM, field="opening_fee", code="invalid_fee")
    _within(request.least_amount, 1, request.most_amount, field="least_amount")
    _within(request.most_amount, 1, MOST_MINOR, field="most_amount")
    _within(request.least_months, 1, request.most_months, field="least_months")
    _within(request.most_months, 1, MOST_MONTHS, field="most_months")
    _within(request.holiday_months, 0, request.least_months - 1, field="holiday_months")
    _within(request.instalment_fee, 0, request.least_amount, field="instalment_fee")
    _within(request.penalty, 0, request.least_amount, field="penalty")
    _within(request.grace_days, 0, _MOST_DAYS_OF_GRACE, field="grace_days")


def _check_day(day: date, *, today: date) -> None:
    if day <= today:
        message = _("Terms hold from a day to come: what was lent before stands.")
        raise InvalidLoanTerms(message, code="day_not_ahead", field="effective_from")
    if day - today > _FURTHEST:
        message = _("Choose a day within ten years.")
        raise InvalidLoanTerms(message, code="day_too_far", field="effective_from")


def _within(
    figure: int, least: int, most: int, *, field: str, code: str = "figure_out_of_bounds"
) -> None:
    if not least <= figure <= most:
        message = _("This is too small or too large for the other figures.")
        raise InvalidLoanTerms(message, code=code, field=field)
