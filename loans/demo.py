"""What the demo bank lends, and what one of its customers is offered."""

from datetime import datetime, timedelta
from typing import Any, Final

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

_SINCE: Final = timedelta(days=400)
_OFFERED_TO: Final = "asha.rao@demo.example"
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
    """Have one of the demo's customers be offered a loan, once."""
    owned = Holding.objects.filter(
        user__email=_OFFERED_TO,
        rights=Rights.OWNER,
        account__currency="INR",
        account__product=Product.CURRENT,
    )
    mine = owned.order_by("account").first()
    if mine is None or LoanApplication.objects.filter(applicant=mine.user_id).exists():
        return
    wish = LoanWish(
        product=LoanProduct.PERSONAL,
        account=mine.account_id,
        amount=Money.parse("200000", "INR"),
        months=24,
        purpose="a wedding",
        monthly_income=Money.parse("72000", "INR"),
    )
    draft = save_draft(mine.user_id, wish, now=now)
    submit(mine.user_id, application=draft.pk, now=now)
    LoanApplication.objects.filter(pk=draft.pk).update(
        state=ApplicationState.OFFERED,
        documents_seen=Document.values,
        decided_at=now,
        offered_until=bank_day(now) + OFFER_DAYS,
    )
