"""Loans that are repaid otherwise than was agreed at first, or are written off; and reminders."""

from datetime import date, timedelta
from typing import Any

import pytest

from accounts.approvals import OwnRequest, approve, carry_out_left_over
from accounts.models import Approval, User
from core import clock
from core.clock import bank_day, start_of
from core.db.aliases import HEAD_OFFICE
from core.errors import DomainError
from loans import replanning, restructuring, settling, writing_off
from loans.accruing import post_charges, write_charges
from loans.books import check_loans
from loans.finding import LoanNotRunning, UnknownLoan
from loans.models import Due, Loan, LoanCharge, LoanPlan, Restructuring, WriteOff
from loans.opening import alone_with_loan
from loans.plans import plans_of
from loans.repaying import payoff_quote
from loans.replanning import NewPlan
from loans.restructuring import propose_restructuring, restructure_due
from loans.standing import standing_of
from loans.writing_off import finish_write_offs, propose_write_off
from notifications.messages.models import Message
from notifications.notices.models import Notice, NoticeKind
from tests.expectations import nothing_written
from tests.factories import bank_accounts, checker, customer_account
from tests.integration.loans.bank import (
    START,
    close,
    close_months,
    customer,
    lent,
    owed,
    pay,
    reasons,
    terms,
)
from tests.integration.loans.test_life_of_a_loan import balance, spend_all_but
from transactions.branches.outcomes import BranchDown
from transactions.chart import Place
from transactions.lending import Owed

pytestmark = pytest.mark.django_db

DUE = date(2026, 2, 28)
SECOND = date(2026, 3, 31)
BEFORE = start_of(DUE + timedelta(days=5))


def new_plan(**changes: Any) -> NewPlan:
    figures = {
        "since": SECOND,
        "months": 24,
        "rate_ppm": 60_000,
        "holiday_months": 2,
        "capitalises": True,
    }
    return NewPlan(**{**figures, **changes})


def late_loan() -> Loan:
    """Lend to somebody who spends it all, until the first instalment's days of grace are over."""
    terms()
    asha, account = customer()
    loan = lent(asha, account)
    spend_all_but(account, 0)
    close_months(1)
    close(DUE + timedelta(days=4))
    return loan


def agreed(loan: Loan, **changes: Any) -> Restructuring:
    """Write down what two admins agreed, as approving it on a day of the test's would."""
    officer = checker()
    plan = new_plan(**changes)
    return Restructuring.objects.create(
        loan=loan,
        since=plan.since,
        months=plan.months,
        rate_ppm=plan.rate_ppm,
        holiday_months=plan.holiday_months,
        capitalises=plan.capitalises,
        asked_by=officer,
        approved_by=officer,
    )


class TestRestructuring:
    def test_takes_one_officer_and_another_admin_and_waits_for_its_day(self) -> None:
        terms()
        asha, account = customer()
        today = bank_day(clock.now())
        loan = lent(asha, account, now=start_of(today) - timedelta(days=10))
        since = plans_of([loan])[loan.pk].instalments[0].due_date
        officer = checker()
        asked = propose_restructuring(
            loan.pk, new_plan(since=since), maker=officer.pk, key="k", reason="ill", now=clock.now()
        )
        for nobody in (officer.pk, asha.pk):
            with pytest.raises(OwnRequest):
                approve(asked.pk, checker=nobody)
        assert approve(asked.pk, checker=checker().pk).state == "done"
        assert restructure_due([loan], day=since - timedelta(days=1)) == 0
        assert restructure_due([loan], day=since) == 1
        assert plans_of([loan])[loan.pk].since == since

    def test_makes_what_is_overdue_principal_and_spreads_all_anew(self) -> None:
        loan = late_loan()
        first = list(LoanPlan.objects.get().instalments.values_list("due_date", "principal"))
        agreed(loan)
        dues = owed(loan).dues
        march = 1_200_00
        close_months(2)
        assert owed(loan) == Owed(principal=1_20_000_00 + dues + march)
        plan = plans_of([loan])[loan.pk]
        assert (plan.number, plan.since, plan.rate_ppm) == (2, SECOND, 60_000)
        days = [one.due_date for one in plan.instalments]
        assert days[:3] == [date(2026, 4, 30), date(2026, 5, 31), date(2026, 6, 30)]
        assert len(days) == 24
        assert [one.principal for one in plan.instalments[:2]] == [0, 0]
        assert sum(one.principal for one in plan.instalments) == owed(loan).principal
        assert standing_of(loan, day=SECOND).due.total == 0
        kept = LoanPlan.objects.get(number=1).instalments.values_list("due_date", "principal")
        assert list(kept) == first
        assert check_loans() == []

    def test_costs_the_new_rate_from_its_day_on_and_holds_over_early_repayment(self) -> None:
        loan = late_loan()
        agreed(loan)
        close_months(3)
        principal = 1_20_000_00 + 2_400_00 + 500_00
        assert owed(loan).interest == round(principal * 60_000 / 12_000_000)
        other = customer_account(loan.borrower, balance=50_000_00)
        pay(loan, 20_000_00, on=date(2026, 5, 10), account=other)
        plan = plans_of([loan])[loan.pk]
        assert (plan.number, plan.rate_ppm, plan.holiday_months) == (3, 60_000, 1)
        assert len(plan.instalments) == 23
        assert check_loans() == []

    def test_leaves_dues_as_they_are_where_they_are_carried(self) -> None:
        loan = late_loan()
        agreed(loan, capitalises=False, holiday_months=0)
        close_months(2)
        assert owed(loan) == Owed(penalty=500_00, interest=2_400_00, principal=1_20_000_00)
        standing = standing_of(loan, day=SECOND)
        assert (standing.due.principal, standing.due.dues) == (0, 2_900_00)
        assert standing.late_since == DUE
        assert check_loans() == []

    def test_is_done_once_wherever_it_was_broken_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loan = late_loan()
        agreed(loan)

        def die(*_args: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(replanning, "_begin_plan", die)
            with pytest.raises(KeyboardInterrupt):
                close_months(2)
        assert check_loans() == []
        close_months(2)
        close_months(2)
        assert owed(loan) == Owed(principal=1_20_000_00 + 2_400_00 + 500_00)
        assert LoanPlan.objects.count() == 2
        assert check_loans() == []

    def test_stands_as_written_down_when_its_borrower_pays_before_it_is_posted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loan = late_loan()
        agreed(loan)

        def silent(*_args: object, **_kwargs: object) -> None:
            raise BranchDown(HEAD_OFFICE)

        with monkeypatch.context() as patch:
            patch.setattr(replanning, "capitalise", silent)
            with pytest.raises(BranchDown):
                close_months(2)
        other = customer_account(loan.borrower, balance=50_000_00)
        pay(loan, 1_000_00, on=SECOND, account=other)
        close_months(2)
        written = Restructuring.objects.get()
        assert (written.state, written.capitalised) == ("done", 2_900_00)
        assert owed(loan) == Owed(principal=1_20_000_00 + 2_900_00 - 1_000_00)
        assert check_loans() == []

    def test_that_was_begun_never_lapses_however_much_is_paid_before_it_is_posted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loan = late_loan()
        agreed(loan, months=480)

        def silent(*_args: object, **_kwargs: object) -> None:
            raise BranchDown(HEAD_OFFICE)

        with monkeypatch.context() as patch:
            patch.setattr(replanning, "capitalise", silent)
            with pytest.raises(BranchDown):
                close_months(2)
        punished = LoanCharge.objects.filter(kind=Due.PENALTY).count()
        other = customer_account(loan.borrower, balance=2_00_000_00)
        pay(loan, 1_20_000_00 + 2_900_00 - 200, on=SECOND, account=other)
        close_months(2)
        close(SECOND + timedelta(days=10))
        assert Restructuring.objects.get().state == "done"
        assert owed(loan).principal == 200
        assert standing_of(loan, day=SECOND + timedelta(days=11)).late_since is None
        assert LoanCharge.objects.filter(kind=Due.PENALTY).count() == punished
        assert check_loans() == []

    def test_is_done_once_when_two_are_at_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loan = late_loan()
        agreed(loan)

        def after_another(name: object) -> Any:
            monkeypatch.setattr(restructuring, "alone_with_loan", alone_with_loan)
            assert restructure_due([loan], day=SECOND) == 1
            return alone_with_loan(name)

        monkeypatch.setattr(restructuring, "alone_with_loan", after_another)
        assert restructure_due([loan], day=SECOND) == 0
        assert LoanPlan.objects.count() == 2
        assert check_loans() == []

    def test_lapses_where_nothing_is_owed_any_more_or_too_little(self) -> None:
        loan = late_loan()
        one = agreed(loan, months=480)
        other = customer_account(loan.borrower, balance=2_00_000_00)
        day = DUE + timedelta(days=6)
        quote = payoff_quote(loan.borrower_id, number=loan.pk, now=start_of(day))
        pay(loan, quote.total.minor - 200, on=day, account=other)
        restructure_due([loan], day=SECOND)
        one.refresh_from_db()
        assert (one.state, "too small" in one.words) == ("lapsed", True)
        Restructuring.objects.update(state="waiting", words="")
        pay(loan, None, on=DUE + timedelta(days=6), account=other)
        assert restructure_due([loan], day=SECOND) == 0
        one.refresh_from_db()
        assert (one.state, one.words) == ("lapsed", "Nothing is owed on this loan.")

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"since": SECOND + timedelta(days=1)}, "not_an_instalment_day"),
            ({"since": DUE}, "not_an_instalment_day"),
            ({"since": date(2026, 12, 31)}, "day_too_far"),
            ({"months": 0}, "invalid_term"),
            ({"months": 481}, "invalid_term"),
            ({"rate_ppm": 1_000_001}, "invalid_rate"),
            ({"holiday_months": 24}, "invalid_holiday"),
        ],
    )
    def test_is_refused_where_no_plan_can_be_so(self, changes: dict[str, Any], code: str) -> None:
        loan = late_loan()
        with nothing_written(), pytest.raises(DomainError) as refused:
            propose_restructuring(
                loan.pk, new_plan(**changes), maker=checker().pk, key="k", reason="ill", now=BEFORE
            )
        assert refused.value.code == code

    def test_and_writing_off_are_refused_of_a_loan_that_does_not_run(self) -> None:
        loan = late_loan()
        other = customer_account(loan.borrower, balance=2_00_000_00)
        pay(loan, None, on=DUE + timedelta(days=6), account=other)
        for number, error in ((loan.pk, LoanNotRunning), (5, UnknownLoan)):
            with pytest.raises(error):
                propose_write_off(number, maker=1, key="k", reason="gone")
            with pytest.raises(error):
                propose_restructuring(
                    number, new_plan(), maker=1, key="k", reason="ill", now=BEFORE
                )


def written_off() -> Loan:
    """Let two admins write a loan off that was lent three months ago."""
    terms()
    asha, account = customer()
    loan = lent(asha, account, now=clock.now() - timedelta(days=100))
    spend_all_but(account, 0)
    asked = propose_write_off(loan.pk, maker=checker().pk, key="k", reason="cannot pay")
    assert propose_write_off(loan.pk, maker=checker().pk, key="k", reason="again").pk == asked.pk
    assert approve(asked.pk, checker=checker().pk).state == "done"
    loan.refresh_from_db()
    return loan


class TestWritingOff:
    def test_takes_all_that_is_owed_out_of_the_books_as_the_banks_loss(self) -> None:
        loan = written_off()
        assert (loan.state, owed(loan)) == ("written_off", Owed())
        lost = WriteOff.objects.get()
        assert lost.principal == 1_20_000_00
        assert lost.interest > 3_000_00
        assert balance(bank_accounts().number(Place.IMPAIRMENT)) == lost.owed.total
        assert check_loans() == []

    def test_is_finished_when_a_branch_was_silent_and_nobody_repays_it_meanwhile(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loan = late_loan()

        def silent(*_args: object, **_kwargs: object) -> None:
            raise BranchDown(HEAD_OFFICE)

        asked = propose_write_off(loan.pk, maker=checker().pk, key="k", reason="cannot pay")
        with monkeypatch.context() as patch:
            patch.setattr(writing_off, "write_off", silent)
            assert approve(asked.pk, checker=checker().pk).state == "approved"
            with pytest.raises(BranchDown):
                finish_write_offs()
        other = customer_account(loan.borrower, balance=50_000_00)
        paid = pay(loan, 1_000_00, on=bank_day(clock.now()), account=other)
        assert (paid.paid.total, paid.recovered) == (0, 1_000_00)
        # Whether the approval is tried again or has run out by then.
        assert [finish_write_offs() for _again in range(2)] == [1, 0]
        Approval.objects.update(tried_at=clock.now() - timedelta(minutes=1))
        assert carry_out_left_over() == 1
        assert carry_out_left_over() == 0
        assert owed(loan) == Owed()
        assert check_loans() == []

    def test_counts_what_is_paid_later_as_recovered_up_to_what_was_lost(self) -> None:
        loan = written_off()
        lost = WriteOff.objects.get().owed.total
        other = customer_account(loan.borrower, balance=2_00_000_00)
        today = bank_day(clock.now())
        first = pay(loan, 5_000_00, on=today, account=other, key="k")
        assert pay(loan, 5_000_00, on=today, account=other, key="k").pk == first.pk
        assert balance(bank_accounts().number(Place.RECOVERY_INCOME)) == 5_000_00
        quote = payoff_quote(loan.borrower_id, number=loan.pk, now=clock.now())
        assert quote.total.minor == lost - 5_000_00
        with pytest.raises(DomainError, match="more than is owed"):
            pay(loan, lost, on=today, account=other)
        pay(loan, None, on=today, account=other)
        assert balance(bank_accounts().number(Place.RECOVERY_INCOME)) == lost
        with pytest.raises(LoanNotRunning):
            pay(loan, 1, on=today, account=other)
        assert check_loans() == []

    def test_is_named_where_the_ledger_has_it_otherwise(self) -> None:
        loan = written_off()
        WriteOff.objects.update(principal=1)
        assert reasons(check_loans()) == [
            "loan_write_off: the ledger has -12000000, the head office -1"
        ]
        assert loan.state == "written_off"


class TestTheEnd:
    def test_of_a_loan_is_the_end_of_its_charges_though_a_closing_has_begun(self) -> None:
        loan = lent(*paying_customer())
        pay(loan, None, on=DUE)
        write_charges([LoanCharge(loan=loan, kind=Due.PENALTY, day=DUE, minor=1_00)])
        post_charges([loan], now=start_of(DUE))
        loan.refresh_from_db()
        assert (loan.state, owed(loan).total) == ("repaid", 0)
        assert check_loans() == []

    def test_waits_for_what_was_charged_beside_the_last_payment(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        loan = lent(*paying_customer())

        def charging_beside(loans: Any, *, now: Any) -> None:
            post_charges(loans, now=now)
            write_charges([LoanCharge(loan=loan, kind=Due.PENALTY, day=DUE, minor=1_00)])

        monkeypatch.setattr(settling, "post_charges", charging_beside)
        pay(loan, None, on=DUE)
        loan.refresh_from_db()
        assert loan.state == "active"
        post_charges([loan], now=start_of(DUE))
        monkeypatch.undo()
        close(DUE)
        loan.refresh_from_db()
        assert (loan.state, owed(loan).total) == ("repaid", 0)
        assert check_loans() == []


def paying_customer() -> tuple[User, int]:
    """Return a customer of a bank that lends, who can pay."""
    terms()
    return customer(balance=2_00_000_00)


class TestReminders:
    def told(self) -> list[tuple[str, int]]:
        found = Notice.objects.filter(kind=NoticeKind.LOAN).order_by("occurred_at")
        return [(one.data["day"], one.data["days_late"]) for one in found]

    def test_come_three_days_before_and_at_each_stage_of_lateness_once(self) -> None:
        terms(penalty=0)
        asha, account = customer()
        lent(asha, account)
        spend_all_but(account, 0)
        for day in (25, 28, 29, 43, 58, 88, 118):
            for _ in range(2):
                close(START + timedelta(days=day - 1))
        assert self.told() == [("2026-02-28", late) for late in (0, 1, 15, 30, 60, 90)]
        assert Message.objects.filter(kind=NoticeKind.LOAN).count() == len(self.told())

    def test_say_nothing_of_a_loan_that_is_paid_for(self) -> None:
        terms()
        lent(*customer(balance=50_000_00))
        close_months(2)
        for days in (0, 14, 29):
            close(DUE + timedelta(days=days))
        assert {late for _day, late in self.told()} <= {0}
