"""From loans that were repaid or went bad to a model that scores an application: all of it."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from core.clock import start_of
from loans.management.commands import train_risk
from loans.models import Loan, LoanApplication, LoanTerms, RiskModel, RiskScore
from loans.risk.appointing import appoint_model
from loans.risk.models import TrainingData
from loans.risk.registry import Role
from loans.risk.training.families import families_for
from tests.factories import bank_accounts, customer_account, inr, order, person
from tests.integration.loans.bank import BEGUN, START, applied, terms
from transactions.chart import Place
from transactions.ledger.posting import Kind, Transfer, post_batch

pytestmark = pytest.mark.django_db

BORROWERS = 24


def history(account: int, *, income: int, share: int) -> list[Transfer]:
    """Return half a year of an income, of which a share is spent, in percent."""
    nostro = bank_accounts().number(Place.NOSTRO)
    return [
        Transfer(debit, credit, inr(minor), Kind.TRANSFER, event_at=at)
        for month in range(6, 0, -1)
        for debit, credit, minor, at in (
            (nostro, account, income, start_of(START - timedelta(days=30 * month))),
            (
                account,
                nostro,
                income * share // 100,
                start_of(START - timedelta(days=30 * month - 9)),
            ),
        )
    ]


def lent_before(offered: LoanTerms) -> None:
    """Lend to people of whom those who spent all they had did not repay it."""
    transfers = []
    for place in range(BORROWERS):
        is_bad = place % 2 == 1
        borrower = person()
        account = customer_account(borrower)
        transfers += history(
            account, income=40_000_00 + place * 1_000_00, share=99 if is_bad else 40
        )
        application = LoanApplication.objects.create(
            applicant=borrower,
            account=account,
            terms=offered,
            amount=1_20_000_00,
            months=12,
            purpose="test",
            monthly_income=0,
            state="accepted",
            created_at=BEGUN,
            submitted_at=BEGUN,
        )
        Loan.objects.create(
            number=10**11 + 2 * place,
            dues=10**11 + 2 * place + 1,
            application=application,
            borrower=borrower,
            account=account,
            terms=offered,
            amount=application.amount,
            months=12,
            state="written_off" if is_bad else "repaid",
            accepted_at=BEGUN,
            start=START,
        )
    post_batch(transfers, order=order(key=str(uuid4())))


def test_a_model_of_the_banks_own_loans_scores_who_applies_once_it_is_appointed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RISK_MODELS = tmp_path
    lent_before(terms())
    # Families are compared elsewhere: this is about the way from loans to a score. Neighbours are
    # what few loans have too few of.
    neighbours = [one for one in families_for(BORROWERS) if one.name == "neighbours"]
    monkeypatch.setattr(train_risk, "families_for", lambda _loans: neighbours)
    with connection.cursor() as cursor:
        # The test's transaction waits for the training, which a command's does not.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    told = StringIO()
    call_command("train_risk", "book", stdout=told)
    assert "24 loans, 12 bad" in told.getvalue()
    assert "It is registered" in told.getvalue()
    model = RiskModel.objects.get()
    assert (model.data, RiskScore.objects.filter(model=model).exists()) == (
        TrainingData.BOOK,
        False,
    )
    appoint_model(model, role=Role.CHAMPION, reason="the first of our own", now=BEGUN)
    chances = []
    for share in (40, 99):
        asha = person()
        account = customer_account(asha)
        post_batch(history(account, income=50_000_00, share=share), order=order())
        score = RiskScore.objects.get(application=applied(asha, account))
        assert (score.model, score.review) == (model, "")
        assert score.probability is not None
        chances.append(score.probability)
    assert chances[0] < 0.5 < chances[1]
