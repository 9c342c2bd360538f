"""What is sent to a loan's number: it is a repayment, or it is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from core import clock
from core.clock import bank_day, start_of
from loans.books import check_loans
from loans.models import Loan, Repayment
from tests.expectations import refusing
from tests.factories import customer_account, inr, order
from tests.integration.loans.bank import START, close_months, customer, lent, owed, terms
from tests.integration.loans.test_life_of_a_loan import OF_THE_TEST, spend_all_but
from tests.integration.test_cash import fill
from transactions.batching import BatchRequest, post_transfers
from transactions.cash import CashRequest, deposit_cash, withdraw_cash
from transactions.chart import Place
from transactions.holding import HoldRequest, place_hold
from transactions.ledger.codes import Code, Refused
from transactions.ledger.invariants import findings
from transactions.ledger.posting import Channel, Kind, Transfer, post, post_batch
from transactions.lending import Owed
from transactions.payments.models import ScheduledTransfer
from transactions.payments.scheduling import queue_transfer, send_due_transfers
from transactions.services import TransferRequest, preview_transfer, transfer_funds

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


@pytest.fixture
def loan() -> Loan:
    """Give a loan with interest and principal due, to somebody who has money elsewhere."""
    terms()
    asha, account = customer()
    made = lent(asha, account)
    spend_all_but(account, 0)
    close_months(1)
    assert owed(made) == Owed(interest=1_200_00, principal=1_20_000_00)
    return made


def wish(loan: Loan, payer: int, minor: int = 500_00) -> TransferRequest:
    """Wish to send the loan's number an ordinary transfer."""
    return TransferRequest(
        user=loan.borrower_id,
        key=str(uuid4()),
        channel=Channel.WEB,
        debit=payer,
        credit=loan.number,
        amount=inr(minor),
    )


def held(loan: Loan, payer: int) -> HoldRequest:
    """Wish to set money aside for the loan."""
    return HoldRequest(
        user=loan.borrower_id,
        key=str(uuid4()),
        account=payer,
        payee=loan.number,
        amount=inr(500_00),
        expires_at=clock.now() + timedelta(days=1),
    )


def cash(loan: Loan) -> CashRequest:
    """Wish to book cash on the loan, as a teller does."""
    return CashRequest(
        user=0,
        key=str(uuid4()),
        channel=Channel.TELLER,
        account=loan.number,
        amount=inr(500_00),
    )


class TestAnOrdinaryTransfer:
    @pytest.mark.parametrize(
        "asked",
        [
            lambda loan, payer: transfer_funds(wish(loan, payer), now=NOW),
            lambda loan, payer: preview_transfer(wish(loan, payer), now=NOW),
            lambda loan, payer: place_hold(held(loan, payer), now=clock.now()),
            lambda loan, _payer: deposit_cash(cash(loan), now=NOW),
            lambda loan, _payer: withdraw_cash(cash(loan), now=NOW),
            lambda loan, payer: post(Transfer(payer, loan.dues, inr(1)), order=order()),
            lambda loan, payer: post(Transfer(loan.number, payer, inr(1)), order=order()),
            lambda loan, payer: post(
                Transfer(payer, loan.number, inr(1), Kind.PAYMENT), order=order()
            ),
        ],
        ids=["sent", "previewed", "held", "paid in", "taken out", "to the dues", "from", "paid"],
    )
    def test_is_refused_and_told_how_loans_are_paid_for(
        self, loan: Loan, asked: Callable[[Loan, int], object]
    ) -> None:
        payer = customer_account(loan.borrower, balance=50_000_00)
        fill(Place.TILL)
        with refusing(Code.LOAN_NEEDS_REPAYMENT):
            asked(loan, payer)
        assert owed(loan) == Owed(interest=1_200_00, principal=1_20_000_00)

    def test_in_a_batch_is_refused_alone(self, loan: Loan) -> None:
        payer = customer_account(loan.borrower, balance=50_000_00)
        other = customer_account(loan.borrower)
        sent = [Transfer(payer, other, inr(100)), Transfer(payer, loan.number, inr(100))]
        request = BatchRequest(
            user=loan.borrower_id, key=str(uuid4()), channel=Channel.API, transfers=sent
        )
        result = post_transfers(request, now=NOW)
        assert list(result.ids) == [0]
        assert isinstance(result.faults[1], Refused)
        assert result.faults[1].reason is Code.LOAN_NEEDS_REPAYMENT
        with connection.cursor() as cursor:
            assert findings(cursor, without=OF_THE_TEST) == []

    def test_takes_what_is_linked_with_it_along(self, loan: Loan) -> None:
        payer = customer_account(loan.borrower, balance=50_000_00)
        other = customer_account(loan.borrower)
        sent = [Transfer(payer, other, inr(100), linked=True), Transfer(payer, loan.number, inr(1))]
        receipt = post_batch(sent, order=order())
        assert set(receipt.refusals.values()) == {
            Code.LINKED_ITEM_REFUSED,
            Code.LOAN_NEEDS_REPAYMENT,
        }
        assert owed(loan) == Owed(interest=1_200_00, principal=1_20_000_00)


def test_what_is_left_for_later_is_a_repayment_by_the_order_of_allocation(loan: Loan) -> None:
    payer = customer_account(loan.borrower, balance=50_000_00)
    day = bank_day(start_of(START)) + timedelta(days=29)
    queue_transfer(wish(loan, payer, 2_000_00), now=start_of(START), day=day)
    assert send_due_transfers(now=start_of(day)) == 1
    assert ScheduledTransfer.objects.get().state == "done"
    assert Repayment.objects.get().paid == Owed(interest=1_200_00, principal=800_00)
    assert check_loans() == []
