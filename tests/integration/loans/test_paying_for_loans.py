"""Loans that are paid for by standing order, and before the days up to then are closed."""

from datetime import date, datetime, timedelta

import pytest

from accounts.models import User
from core.clock import start_of
from loans.books import check_loans
from loans.models import InterestDay, Loan, LoanPlan, Repayment
from loans.plans import plans_of
from notifications.notices.models import Notice
from notifications.notices.wording import wording_of
from tests.factories import customer_account, person
from tests.integration.loans.bank import (
    START,
    close,
    close_months,
    customer,
    lent,
    owed,
    pay,
    terms,
)
from tests.integration.loans.test_life_of_a_loan import INSTALMENT, balance
from transactions.lending import Owed
from transactions.payments.due_dates import queue_standing_orders
from transactions.payments.models import ScheduledTransfer, StandingOrder
from transactions.payments.scheduling import send_due_transfers

pytestmark = pytest.mark.django_db

DUE = date(2026, 2, 28)


def ordered(
    loan: Loan, account: int, *, minor: int = INSTALMENT, by: User | None = None
) -> StandingOrder:
    """Have a loan paid for from another account, at the end of each month."""
    return StandingOrder.objects.create(
        user=by or loan.borrower,
        key="order",
        debit=account,
        credit=loan.number,
        amount=minor,
        currency="INR",
        frequency=StandingOrder.Frequency.MONTHLY,
        month_end=True,
        weekend=StandingOrder.Weekend.SAME,
        first_date=DUE,
        next_date=DUE,
        pay_date=DUE,
        created_at=start_of(START),
    )


def send(now: datetime) -> ScheduledTransfer:
    """Do what the watch does, and return what came of the newest payment."""
    queue_standing_orders(now=now)
    send_due_transfers(now=now)
    newest = ScheduledTransfer.objects.first()
    assert newest is not None
    return newest


class TestAStandingOrder:
    @pytest.mark.parametrize("is_closed_before", [True, False])
    def test_pays_what_is_due_in_place_of_the_collection(self, *, is_closed_before: bool) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)
        before = balance(account)
        ordered(loan, customer_account(asha, balance=20_000_00))
        if is_closed_before:
            close_months(1)
        assert send(start_of(DUE) + timedelta(minutes=1)).state == "done"
        close_months(1)
        assert owed(loan) == Owed(principal=1_20_000_00 - (INSTALMENT - 1_200_00))
        assert balance(account) == before
        assert LoanPlan.objects.count() == 1
        assert Repayment.objects.get().paid.interest == 1_200_00
        assert check_loans() == []

    def test_that_pays_less_than_is_due_leaves_the_rest_to_the_collection(self) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)
        ordered(loan, customer_account(asha, balance=20_000_00), minor=1)
        close_months(1)
        assert Repayment.objects.get().paid.total == INSTALMENT - 1
        assert send(start_of(DUE) + timedelta(hours=9)).state == "done"
        assert owed(loan) == Owed(principal=1_20_000_00 - (INSTALMENT - 1_200_00))
        assert check_loans() == []

    def test_of_somebody_elses_keeps_the_bank_from_nothing(self) -> None:
        terms()
        loan = lent(*customer(balance=50_000_00))
        stranger = person()
        ordered(loan, customer_account(stranger), by=stranger)
        close_months(1)
        assert Repayment.objects.get().paid.total == INSTALMENT

    def test_that_lacks_money_leaves_the_instalment_to_the_next_days_collection(self) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)
        ordered(loan, customer_account(asha))
        close_months(1)
        assert send(start_of(DUE) + timedelta(hours=23, minutes=30)).state == "refused"
        assert not Repayment.objects.exists()
        close(DUE)
        assert Repayment.objects.get().account == account
        assert check_loans() == []

    def test_takes_no_more_than_all_that_is_owed_and_ends_once_that_is_nothing(self) -> None:
        terms()
        asha, account = customer()
        loan = lent(asha, account)
        other = customer_account(asha, balance=3_00_000_00)
        order = ordered(loan, other, minor=1_50_000_00)
        assert send(start_of(DUE) + timedelta(hours=9)).state == "done"
        loan.refresh_from_db()
        assert (loan.state, balance(other)) == ("repaid", 3_00_000_00 - 1_21_200_00)
        # Two dates at once, as after days on which nobody looked.
        later = start_of(date(2026, 5, 1))
        queue_standing_orders(now=later)
        refused = send(later)
        assert (refused.state, refused.reason) == ("refused", "Nothing is owed on this loan.")
        assert ScheduledTransfer.objects.filter(state="refused").count() == 2
        order.refresh_from_db()
        assert (order.state, order.next_date, order.pay_date) == ("ended", None, None)
        told = Notice.objects.get(kind="standing_order_failed")
        words = wording_of(told.kind, told.data, write=str)
        assert words.title == "A standing order has ended"
        assert balance(other) == 3_00_000_00 - 1_21_200_00


class TestPayingBeforeDaysAreClosed:
    def paid_early(self, *, are_days_closed: bool) -> Loan:
        """Pay early in the second period, from an account that the bank does not collect from."""
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)
        other = customer_account(asha, balance=50_000_00)
        if are_days_closed:
            close_months(1)
        pay(loan, 40_000_00, on=DUE + timedelta(days=10), account=other)
        return loan

    def test_costs_what_it_would_cost_after_they_were(self) -> None:
        terms(instalment_fee=50_00)
        late, early = (self.paid_early(are_days_closed=closed) for closed in (False, True))
        close_months(1)
        assert owed(late) == owed(early)
        days = [
            list(InterestDay.objects.filter(loan=loan).values_list("day", "principal"))
            for loan in (late, early)
        ]
        assert days[0] == days[1]
        plans = plans_of([late, early])
        assert [one.total for one in plans[late.pk].instalments] == [
            one.total for one in plans[early.pk].instalments
        ]
        assert balance(late.account) == balance(early.account)
        assert check_loans() == []
