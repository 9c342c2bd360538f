"""The demo's model, made in the background of invented loans, and an application that it scores."""

from datetime import datetime
from typing import Final

from accounts.models import Holding, Rights
from core.money import Money
from loans.applying import LoanWish, save_draft, submit
from loans.models import LoanApplication, LoanProduct

_APPLICANT: Final = "priya.nair@demo.example"
_CURRENCY: Final = "INR"


def ask_for_model(now: datetime) -> None:
    """Have a model made once, in the caller's transaction."""
    # Where workers find it, and what imports this.
    from loans.tasks import train_demo_risk_model

    train_demo_risk_model.ask(key="demo", now=now)


def apply_in_demo(*, now: datetime) -> None:
    """Let one of the demo's people apply for a loan, once."""
    mine = Holding.objects.filter(user__email=_APPLICANT, rights=Rights.OWNER)
    held = mine.filter(account__currency=_CURRENCY).order_by("account").first()
    if held is None or LoanApplication.objects.filter(applicant=held.user_id).exists():
        return
    wish = LoanWish(
        product=LoanProduct.PERSONAL,
        account=held.account_id,
        amount=Money.parse("300000", _CURRENCY),
        months=24,
        purpose="A scooter",
        monthly_income=Money.parse("85000", _CURRENCY),
    )
    draft = save_draft(held.user_id, wish, now=now)
    submit(held.user_id, application=draft.pk, now=now)
