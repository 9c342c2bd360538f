"""Loans at risk, as the monthly report tells of them."""

from datetime import timedelta

import pytest

from core.money import Money
from loans.schedule import months_later
from portals.reports.loans_at_risk import loans_at_risk
from tests.factories import bank_accounts, order
from tests.integration.loans.bank import START, close_months, customer, lent, owed, terms
from transactions.chart import Place
from transactions.ledger.posting import Transfer, post
from transactions.selectors import account_of

pytestmark = pytest.mark.django_db


def test_are_counted_by_how_late_they_are() -> None:
    assert loans_at_risk(START) == []
    terms()
    loan = lent(*customer())
    (found,) = loans_at_risk(START + timedelta(days=1))
    assert (found.bucket, found.loans, found.due) == ("current", 1, Money(0, "INR"))
    assert found.owed == Money(owed(loan).total, "INR")


def test_are_late_from_the_day_after_an_instalment_was_not_paid() -> None:
    terms()
    asha, account = customer()
    loan = lent(asha, account)
    nostro = bank_accounts().number(Place.NOSTRO)
    # All that was paid out to it goes on at once.
    paid_out = account_of(asha.pk, number=account).balance
    post(Transfer(account, nostro, paid_out), order=order())
    close_months(1)
    assert owed(loan).dues
    (found,) = loans_at_risk(months_later(START, 1) + timedelta(days=40))
    assert found.bucket == "31-60"
    assert found.due.minor > 0
