"""What the demo bank lends, and what its customers apply for."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from accounts.models import Holding, Product, Rights
from core.clock import bank_day
from core.money import Money
from loans.applying import LoanWish, save_draft, submit
from loans.deciding import OFFER_DAYS
from loans.models import (
    ApplicationState,
    Document,
    LoanApplication,
    LoanProduct,
    LoanTerms,
    RepaymentMethod,
)
from transactions.demo.people import email_of

_SINCE: Final = timedelta(days=400)
_FIRST: Final = "Asha Rao"
# In rupees; rates and shares in millionths.
_TERMS: Final[dict[LoanProduct, dict[str, Any]]] = {
    LoanProduct.PERSONAL: {
        "method": RepaymentMethod.ANNUITY,
        "rate_ppm": 125_000,
        "amounts": (10_000, 15_00_000),
        "months": (6, 60),
        "opening_fee_ppm": 10_000,
    },
    LoanProduct.HOME: {
        "method": RepaymentMethod.ANNUITY,
        "rate_ppm": 86_000,
        "amounts": (5_00_000, 5_00_00_000),
        "months": (60, 360),
        "opening_fee_ppm": 2_500,
    },
    LoanProduct.VEHICLE: {
        "method": RepaymentMethod.FLAT,
        "rate_ppm": 65_000,
        "amounts": (50_000, 20_00_000),
        "months": (12, 84),
        "opening_fee_ppm": 5_000,
    },
    LoanProduct.EDUCATION: {
        "method": RepaymentMethod.ANNUITY,
        "rate_ppm": 95_000,
        "amounts": (50_000, 40_00_000),
        "months": (24, 180),
        "opening_fee_ppm": 0,
        "holiday_months": 12,
    },
}


def add_loan_terms(now: datetime) -> None:
    """Lend in the demo, as if that had been so for long; what there is stays."""
    since = bank_day(now) - _SINCE
    for product, figures in _TERMS.items():
        least, most = figures["amounts"]
        first, last = figures["months"]
        if LoanTerms.objects.filter(product=product, currency="INR").exists():
            continue
        LoanTerms.objects.create(
            product=product,
            currency="INR",
            effective_from=since,
            method=figures["method"],
            rate_ppm=figures["rate_ppm"],
            least_amount=Money.parse(str(least), "INR").minor,
            most_amount=Money.parse(str(most), "INR").minor,
            least_months=first,
            most_months=last,
            holiday_months=figures.get("holiday_months", 0),
            opening_fee_ppm=figures["opening_fee_ppm"],
            grace_days=5,
            penalty=Money.parse("500", "INR").minor,
        )


def add_applications(now: datetime) -> None:
    """Have one of the demo's customers be offered a loan, and another wait for a decision; once."""
    if LoanApplication.objects.exists():
        return
    first, second = _customers()
    offered = _applied(first, LoanProduct.PERSONAL, "200000", 24, "a wedding", now=now)
    LoanApplication.objects.filter(pk=offered).update(
        state=ApplicationState.OFFERED,
        documents_seen=Document.values,
        decided_at=now,
        offered_until=bank_day(now) + OFFER_DAYS,
    )
    _applied(second, LoanProduct.VEHICLE, "350000", 48, "a small van for deliveries", now=now)


def _customers() -> tuple[Holding, Holding]:
    """Return who is offered a loan, and somebody else, each with the account it goes to."""
    owned = Holding.objects.filter(
        rights=Rights.OWNER, account__currency="INR", account__product=Product.CURRENT
    ).order_by("user", "account")
    is_first = Q(user__email=email_of(_FIRST))
    return owned.filter(is_first)[0], owned.exclude(is_first)[0]


def _applied(
    customer: Holding,
    product: LoanProduct,
    amount: str,
    months: int,
    purpose: str,
    *,
    now: datetime,
) -> UUID:
    wish = LoanWish(
        product=product,
        account=customer.account_id,
        amount=Money.parse(amount, "INR"),
        months=months,
        purpose=purpose,
        monthly_income=Money.parse("72000", "INR"),
    )
    draft = save_draft(customer.user_id, wish, now=now)
    return submit(customer.user_id, application=draft.pk, now=now).pk
