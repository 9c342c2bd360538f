"""A bank that lends: its terms, its officers, and days that go by."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from accounts.approvals import approve
from accounts.models import User
from core.clock import start_of
from loans import closing
from loans.applying import LoanWish, save_draft, submit
from loans.deciding import note_documents, propose
from loans.models import Document, Loan, LoanApplication, LoanTerms
from loans.opening import accept_offer
from loans.repaying import RepaymentRequest, repay_loan
from loans.schedule import months_later
from tests.factories import checker, customer_account, inr, person
from transactions.lending import Owed, owed_on
from transactions.services import Channel

START = date(2026, 1, 31)
BEGUN = start_of(START) + timedelta(hours=12)


def terms(**changes: Any) -> LoanTerms:
    """Lend at 12 % a year in equal instalments."""
    figures = {
        "product": "personal",
        "currency": "INR",
        "effective_from": date(2024, 1, 1),
        "method": "annuity",
        "rate_ppm": 120_000,
        "least_amount": 10_000_00,
        "most_amount": 10_00_000_00,
        "least_months": 6,
        "most_months": 60,
        "opening_fee_ppm": 10_000,
        "instalment_fee": 0,
        "grace_days": 3,
        "penalty": 500_00,
    }
    return LoanTerms.objects.create(**{**figures, **changes})


def wish(account: int, **changes: Any) -> LoanWish:
    """Wish for ₹1,20,000 over a year."""
    figures = {
        "product": "personal",
        "account": account,
        "amount": inr(1_20_000_00),
        "months": 12,
        "purpose": "a wedding",
        "monthly_income": inr(60_000_00),
    }
    return LoanWish(**{**figures, **changes})


def applied(user: User, account: int, **changes: Any) -> LoanApplication:
    """Send an application in."""
    draft = save_draft(user.pk, wish(account, **changes), now=BEGUN)
    return submit(user.pk, application=draft.pk, now=BEGUN)


def offered(application: LoanApplication) -> LoanApplication:
    """Let two officers offer what was asked for."""
    note_documents(application.pk, seen=Document.values)
    officer, other = checker(), checker()
    asked = propose(
        application.pk,
        amount=application.money,
        months=application.months,
        maker=officer.pk,
        reason="earns enough",
    )
    decided = approve(asked.pk, checker=other.pk)
    assert decided.state == "done", decided.words
    application.refresh_from_db()
    return application


def lent(user: User, account: int, *, now: datetime = BEGUN, **changes: Any) -> Loan:
    """Lend to a person, and return the loan."""
    application = offered(applied(user, account, **changes))
    return accept_offer(user.pk, application=application.pk, now=now)


def customer(balance: int = 0) -> tuple[User, int]:
    """Return a customer and their account."""
    asha = person()
    return asha, customer_account(asha, balance=balance)


def close(day: date) -> dict[str, Any]:
    """Do what closing a day does for loans; return what came of each step."""
    now = start_of(day + timedelta(days=1)) + timedelta(minutes=5)
    return {step.name: step.work(day, now) for step in closing.STEPS}


def close_months(count: int, *, start: date = START) -> None:
    """Close the days at whose end an instalment falls due; what lies between them catches up."""
    for number in range(1, count + 1):
        close(months_later(start, number) - timedelta(days=1))


def owed(loan: Loan) -> Owed:
    """Return what the ledger says is owed."""
    return owed_on([loan.accounts])[loan.pk]


def pay(  # a payment is what these are
    loan: Loan,
    minor: int | None,
    *,
    on: date,
    account: int | None = None,
    key: str | None = None,
    currency: str | None = None,
) -> Any:
    """Let the borrower pay by hand, at noon."""
    request = RepaymentRequest(
        user=loan.borrower_id,
        loan=loan.pk,
        account=account or loan.account,
        minor=minor,
        currency=currency or loan.terms.currency,
        channel=Channel.WEB,
        key=key or str(uuid4()),
    )
    return repay_loan(request, now=start_of(on) + timedelta(hours=12))


def reasons(found: Collection[Any]) -> list[str]:
    """Return the details of findings."""
    return [one.detail for one in found]
