"""How loans look in the API."""

from typing import Any, Final

from rest_framework.serializers import Serializer

from accounts.api.fields import AccountNumberField
from core.api.representation import decimal, decimal_of, given, instant
from core.api.serializers import (
    AmountField,
    ChoiceField,
    CurrencyField,
    DateField,
    InstantField,
    IntegerField,
    ListField,
    TextField,
    UuidField,
)
from loans.models import (
    OFFERED,
    ApplicationState,
    LoanApplication,
    LoanProduct,
    LoanState,
    LoanTerms,
    Repayment,
    RepaymentMethod,
)
from loans.quoting import Quote
from loans.repaying import Payoff
from loans.risk.models import RiskScore
from loans.risk.scoring import Band
from loans.rows import InstalmentState, Row
from loans.schedule import MOST_MONTHS, percent
from loans.showing import LoanShown
from loans.standing import Bucket

PRODUCT: Final = {
    "product": "personal",
    "currency": "INR",
    "method": "annuity",
    "rate_percent": "12.5",
    "least_amount": "10000.00",
    "most_amount": "1000000.00",
    "least_months": 6,
    "most_months": 60,
    "holiday_months": 0,
    "opening_fee_percent": "1",
    "instalment_fee": "0.00",
    "grace_days": 5,
    "penalty": "500.00",
}
INSTALMENT: Final = {
    "number": 1,
    "due_date": "2026-04-02",
    "principal": "9440.14",
    "interest": "1250.00",
    "fee": "0.00",
    "total": "10690.14",
    "balance_after": "110559.86",
}
QUOTE: Final = {
    "product": "personal",
    "amount": "120000.00",
    "currency": "INR",
    "months": 12,
    "instalment": "10690.14",
    "opening_fee": "1200.00",
    "total_interest": "8281.63",
    "total_cost": "9481.63",
    "schedule": [INSTALMENT],
}
APPLICATION: Final = {
    "id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "product": "personal",
    "account": "100000000017",
    "amount": "120000.00",
    "currency": "INR",
    "months": 12,
    "purpose": "a wedding",
    "monthly_income": "60000.00",
    "state": "submitted",
    "created_at": "2026-03-02T09:30:00Z",
}
LOAN: Final = {
    "number": "100000000033",
    "product": "personal",
    "account": "100000000017",
    "amount": "120000.00",
    "currency": "INR",
    "months": 12,
    "state": "active",
    "owed": "110559.86",
    "due": "0.00",
    "days_late": 0,
    "bucket": "current",
    "schedule": [{**INSTALMENT, "state": "paid"}],
}
REPAYMENT: Final = {
    "loan": "100000000033",
    "transfer_id": "019a8f6e-6d2a-7c31-9b57-0e3f1f2c9a55",
    "account": "100000000017",
    "amount": "10690.14",
    "currency": "INR",
    "penalty": "0.00",
    "fee": "0.00",
    "interest": "1250.00",
    "principal": "9440.14",
    "recovered": "0.00",
    "made_at": "2026-04-02T09:30:00Z",
}
PAYOFF: Final = {
    "amount": "110900.10",
    "currency": "INR",
    "principal": "110559.86",
    "interest": "340.24",
    "fee": "0.00",
    "penalty": "0.00",
}


class ProductAnswer(Serializer[Any]):
    """Terms on which the bank lends today."""

    product = ChoiceField([str(one) for one in OFFERED])
    currency = CurrencyField()
    method = ChoiceField(RepaymentMethod.values)
    rate_percent = TextField(help_text="A year.")
    least_amount = AmountField()
    most_amount = AmountField()
    least_months = IntegerField(least=1, most=MOST_MONTHS)
    most_months = IntegerField(least=1, most=MOST_MONTHS)
    holiday_months = IntegerField(least=0, most=MOST_MONTHS)
    opening_fee_percent = TextField()
    instalment_fee = AmountField()
    grace_days = IntegerField(least=0, most=90)
    penalty = AmountField()


class ProductsAnswer(Serializer[Any]):
    """All terms of today."""

    products = ProductAnswer(many=True)


class InstalmentAnswer(Serializer[Any]):
    """One payment of a schedule."""

    number = IntegerField(least=1, most=MOST_MONTHS)
    due_date = DateField()
    principal = AmountField()
    interest = AmountField()
    fee = AmountField()
    total = AmountField()
    balance_after = AmountField()
    state = ChoiceField([str(one) for one in InstalmentState], required=False)


class QuoteAnswer(Serializer[Any]):
    """What a loan would cost."""

    product = ChoiceField(LoanProduct.values)
    amount = AmountField()
    currency = CurrencyField()
    months = IntegerField(least=1, most=MOST_MONTHS)
    instalment = AmountField()
    opening_fee = AmountField()
    total_interest = AmountField()
    total_cost = AmountField()
    schedule = InstalmentAnswer(many=True)


class ApplicationAnswer(Serializer[Any]):
    """An application. ``loan`` is the number of the loan that it became."""

    id = UuidField()
    product = ChoiceField(LoanProduct.values)
    account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    months = IntegerField(least=1, most=MOST_MONTHS)
    purpose = TextField()
    monthly_income = AmountField()
    state = ChoiceField(ApplicationState.values)
    created_at = InstantField()
    offered_until = DateField(required=False)
    decision_reason = TextField(required=False)
    risk_band = ChoiceField(Band.values, required=False)
    risk_reasons = ListField(child=TextField(), most=3, required=False)


class ApplicationsAnswer(Serializer[Any]):
    """The caller's newest applications that are no loans."""

    applications = ApplicationAnswer(many=True)


class LoanAnswer(Serializer[Any]):
    """A loan, what is owed, and what of it is due."""

    number = AccountNumberField()
    product = ChoiceField(LoanProduct.values)
    account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    months = IntegerField(least=1, most=MOST_MONTHS)
    state = ChoiceField(LoanState.values)
    owed = AmountField()
    due = AmountField()
    days_late = IntegerField(least=0, most=10**6)
    bucket = ChoiceField([str(one) for one in Bucket])
    schedule = InstalmentAnswer(many=True)


class LoansAnswer(Serializer[Any]):
    """The caller's newest loans."""

    loans = LoanAnswer(many=True)


class RepaymentAnswer(Serializer[Any]):
    """A payment, and what it paid."""

    loan = AccountNumberField()
    transfer_id = UuidField()
    account = AccountNumberField()
    amount = AmountField()
    currency = CurrencyField()
    penalty = AmountField()
    fee = AmountField()
    interest = AmountField()
    principal = AmountField()
    recovered = AmountField()
    made_at = InstantField()


class PayoffAnswer(Serializer[Any]):
    """What it takes to repay a loan today."""

    amount = AmountField()
    currency = CurrencyField()
    principal = AmountField()
    interest = AmountField()
    fee = AmountField()
    penalty = AmountField()


def product_shown(terms: LoanTerms) -> dict[str, Any]:
    """Return terms as the API shows them."""
    return {
        "product": terms.product,
        "currency": terms.currency,
        "method": terms.method,
        "rate_percent": percent(terms.rate_ppm),
        "least_amount": decimal(terms.money(terms.least_amount)),
        "most_amount": decimal(terms.money(terms.most_amount)),
        "least_months": terms.least_months,
        "most_months": terms.most_months,
        "holiday_months": terms.holiday_months,
        "opening_fee_percent": percent(terms.opening_fee_ppm),
        "instalment_fee": decimal(terms.money(terms.instalment_fee)),
        "grace_days": terms.grace_days,
        "penalty": decimal(terms.money(terms.penalty)),
    }


def quote_shown(found: Quote) -> dict[str, Any]:
    """Return a quote as the API shows it."""
    return {
        "product": found.terms.product,
        "amount": decimal(found.amount),
        "currency": found.terms.currency,
        "months": found.months,
        "instalment": decimal(found.monthly),
        "opening_fee": decimal(found.opening_fee),
        "total_interest": decimal(found.total_interest),
        "total_cost": decimal(found.total_cost),
        "schedule": [_row(row) for row in found.rows],
    }


def application_shown(found: LoanApplication) -> dict[str, Any]:
    """Return an application as the API shows it."""
    until = found.offered_until
    return given(
        id=str(found.pk),
        product=found.terms.product,
        account=str(found.account),
        amount=decimal(found.money),
        currency=found.terms.currency,
        months=found.months,
        purpose=found.purpose,
        monthly_income=decimal(found.income),
        state=found.state,
        created_at=instant(found.created_at),
        offered_until=until.isoformat() if until else None,
        decision_reason=found.decision_reason or None,
    )


def assessment_shown(score: RiskScore | None) -> dict[str, Any]:
    """Return what a first look at an application said; nothing where it is not to be relied on."""
    if score is None or score.review or not score.band:
        return {}
    return {"risk_band": score.band, "risk_reasons": score.reasons}


def loan_shown_in_api(found: LoanShown) -> dict[str, Any]:
    """Return a loan as the API shows it."""
    loan, standing = found.loan, found.standing
    return {
        "number": str(loan.number),
        "product": loan.terms.product,
        "account": str(loan.account),
        "amount": decimal(loan.money),
        "currency": loan.terms.currency,
        "months": loan.months,
        "state": loan.state,
        "owed": decimal(found.owed),
        "due": decimal(found.due),
        "days_late": standing.days_late if standing else 0,
        "bucket": str(standing.bucket if standing else Bucket.CURRENT),
        "schedule": [{**_row(row), "state": str(row.state)} for row in found.rows],
    }


def repayment_shown(done: Repayment) -> dict[str, Any]:
    """Return a payment as the API shows it."""
    currency, paid = done.loan.terms.currency, done.paid
    return given(
        loan=str(done.loan_id),
        transfer_id=str(done.transfer_id),
        account=str(done.account),
        amount=decimal_of(done.total, currency),
        currency=currency,
        penalty=decimal_of(paid.penalty, currency),
        fee=decimal_of(paid.fee, currency),
        interest=decimal_of(paid.interest, currency),
        principal=decimal_of(paid.principal, currency),
        recovered=decimal_of(done.recovered, currency),
        made_at=instant(done.made_at),
    )


def payoff_shown(quote: Payoff) -> dict[str, Any]:
    """Return what it takes to repay a loan as the API shows it."""
    currency, owed = quote.currency, quote.owed
    return {
        "amount": decimal(quote.total),
        "currency": currency,
        "principal": decimal_of(owed.principal, currency),
        "interest": decimal_of(owed.interest + quote.interest_since, currency),
        "fee": decimal_of(owed.fee, currency),
        "penalty": decimal_of(owed.penalty, currency),
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "number": row.instalment.number,
        "due_date": row.instalment.due_date.isoformat(),
        "principal": decimal(row.principal),
        "interest": decimal(row.interest),
        "fee": decimal(row.fee),
        "total": decimal(row.total),
        "balance_after": decimal(row.left),
    }
