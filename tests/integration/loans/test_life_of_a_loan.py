"""A loan from the application to its last instalment, and what can go wrong on the way."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.approvals import OwnRequest, approve
from core.clock import start_of
from core.errors import DomainError
from loans import opening, settling
from loans.allocation import allocated
from loans.applying import ApplicationUnderWay, NotInState, application_of, save_draft, withdraw
from loans.books import check_loans
from loans.deciding import DocumentsMissing, note_documents, propose, refuse_application
from loans.models import InterestDay, Loan, LoanCharge, LoanPlan, Repayment
from loans.opening import OfferExpired, accept_offer
from loans.plans import plans_of
from loans.repaying import MoreThanOwed, OtherRequest, payoff_quote
from loans.standing import Bucket, standing_of
from tests.expectations import nothing_written
from tests.factories import bank_accounts, checker, customer_account, inr, order, person
from tests.integration.loans.bank import (
    BEGUN,
    START,
    applied,
    close,
    close_months,
    customer,
    lent,
    offered,
    owed,
    pay,
    reasons,
    terms,
    wish,
)
from transactions.chart import Place
from transactions.governing import change_status
from transactions.ledger.accounts import Status
from transactions.ledger.codes import Refused
from transactions.ledger.invariants import findings
from transactions.ledger.posting import Kind, Transfer, post
from transactions.ledger.reads import balances
from transactions.lending import Owed, new_loan_accounts, open_loan, pay_out

pytestmark = pytest.mark.django_db

DUE = date(2026, 2, 28)
INSTALMENT = 10_661_85
# The test's transaction is yet to end.
OF_THE_TEST = {"no_transfer_is_of_a_later_transaction"}


def balance(account: int) -> int:
    return balances([account])[0].balance


class TestApplying:
    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"amount": inr(9_999_99)}, "amount_outside_product"),
            ({"amount": inr(10_00_000_01)}, "amount_outside_product"),
            ({"months": 0}, "term_outside_product"),
            ({"months": 61}, "term_outside_product"),
            ({"product": "home"}, "unknown_loan_product"),
            ({"purpose": " "}, "purpose_missing"),
        ],
    )
    def test_is_refused_where_the_product_is_another(
        self, changes: dict[str, object], code: str
    ) -> None:
        terms()
        asha, account = customer()
        with nothing_written(), pytest.raises(DomainError) as refused:
            save_draft(asha.pk, wish(account, **changes), now=BEGUN)
        assert refused.value.code == code

    def test_needs_an_open_account_of_ones_own_in_the_currency(self) -> None:
        terms()
        asha, account = customer()
        koruny = customer_account(asha, currency="CZK")
        with pytest.raises(DomainError, match="another currency"):
            save_draft(asha.pk, wish(koruny), now=BEGUN)
        with pytest.raises(Refused):
            save_draft(person().pk, wish(account), now=BEGUN)
        change_status(account, status=Status.FROZEN, client=0, key="k", reason="test")
        with pytest.raises(DomainError, match="not open"):
            save_draft(asha.pk, wish(account), now=BEGUN)

    def test_keeps_one_draft_and_one_application_under_way(self) -> None:
        terms()
        asha, account = customer()
        first = save_draft(asha.pk, wish(account), now=BEGUN)
        again = save_draft(asha.pk, wish(account, months=24), now=BEGUN)
        assert (first.pk, again.months) == (again.pk, 24)
        sent = applied(asha, account)
        with pytest.raises(ApplicationUnderWay):
            applied(asha, account)
        withdraw(asha.pk, application=sent.pk, now=BEGUN)
        assert application_of(asha.pk, application=sent.pk).state == "withdrawn"


class TestDeciding:
    def test_takes_all_documents_one_officer_and_another_admin(self) -> None:
        terms()
        asha, account = customer()
        sent = applied(asha, account)
        officer = checker()
        figures = {"amount": sent.money, "months": 12, "maker": officer.pk, "reason": "fine"}
        with pytest.raises(DocumentsMissing):
            propose(sent.pk, **figures)  # type: ignore[arg-type]
        note_documents(sent.pk, seen=["identity", "address", "income"])
        asked = propose(sent.pk, **figures)  # type: ignore[arg-type]
        assert propose(sent.pk, **figures).pk == asked.pk  # type: ignore[arg-type]
        for nobody in (officer.pk, asha.pk):
            with pytest.raises(OwnRequest):
                approve(asked.pk, checker=nobody)
        assert approve(asked.pk, checker=checker().pk).state == "done"
        assert application_of(asha.pk, application=sent.pk).state == "offered"

    def test_refuses_with_a_reason_and_no_proposal_is_carried_out_after_it(self) -> None:
        terms()
        asha, account = customer()
        sent = applied(asha, account)
        note_documents(sent.pk, seen=["identity", "address", "income"])
        asked = propose(sent.pk, amount=sent.money, months=12, maker=checker().pk, reason="fine")
        refuse_application(sent.pk, reason="income not shown", now=BEGUN)
        assert approve(asked.pk, checker=checker().pk).state == "failed"
        refused = application_of(asha.pk, application=sent.pk)
        assert (refused.state, refused.decision_reason) == ("refused", "income not shown")


class TestAccepting:
    def test_pays_out_once_in_one_posting_with_the_fee(self) -> None:
        terms()
        asha, account = customer()
        sent = offered(applied(asha, account))
        loans = [accept_offer(asha.pk, application=sent.pk, now=BEGUN) for _ in range(2)]
        assert loans[0] == loans[1]
        assert balance(account) == 1_20_000_00 - 1_200_00
        assert owed(loans[0]) == Owed(principal=1_20_000_00)
        plan = plans_of(loans)[loans[0].pk]
        assert [one.due_date for one in plan.instalments[:2]] == [DUE, date(2026, 3, 31)]
        assert {one.total for one in plan.instalments[:-1]} == {INSTALMENT}
        assert check_loans() == []

    def test_to_a_frozen_account_is_refused_and_the_offer_stands(self) -> None:
        terms()
        asha, account = customer()
        sent = offered(applied(asha, account))
        change_status(account, status=Status.FROZEN, client=0, key="k", reason="test")
        with pytest.raises(DomainError, match="not open"):
            accept_offer(asha.pk, application=sent.pk, now=BEGUN)
        assert not Loan.objects.exists()
        change_status(account, status=Status.OPEN, client=0, key="l", reason="test")
        assert accept_offer(asha.pk, application=sent.pk, now=BEGUN).state == "active"

    def test_too_late_or_without_an_offer_is_refused(self) -> None:
        terms()
        asha, account = customer()
        sent = applied(asha, account)
        with pytest.raises(NotInState):
            accept_offer(asha.pk, application=sent.pk, now=BEGUN)
        offered(sent)
        late = timezone.now() + timedelta(days=16)
        with pytest.raises(OfferExpired):
            accept_offer(asha.pk, application=sent.pk, now=late)

    def test_is_finished_when_the_process_died_after_paying_out(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terms()
        asha, account = customer()
        sent = offered(applied(asha, account))

        def die(*_args: object, **_kwargs: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(opening, "_begin", die)
            with pytest.raises(KeyboardInterrupt):
                accept_offer(asha.pk, application=sent.pk, now=BEGUN)
        before = balance(account)
        assert close(START)["loan_openings"].items == 1
        assert balance(account) == before
        assert Loan.objects.get().state == "active"
        assert check_loans() == []


class TestEachDay:
    def test_accrues_once_charges_what_the_plan_says_and_collects_on_the_day(self) -> None:
        terms(instalment_fee=50_00)
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)
        before = balance(account)
        for day in (START, START, DUE - timedelta(days=1), DUE - timedelta(days=1)):
            close(day)
        assert InterestDay.objects.count() == 28
        assert [(one.kind, one.minor) for one in LoanCharge.objects.order_by("kind")] == [
            ("fee", 50_00),
            ("interest", 1_200_00),
        ]
        assert before - balance(account) == INSTALMENT + 50_00
        assert owed(loan) == Owed(principal=1_20_000_00 - (INSTALMENT - 1_200_00))
        assert standing_of(loan, day=DUE).bucket is Bucket.CURRENT
        assert check_loans() == []

    def test_leads_to_the_last_instalment_to_the_paisa(self) -> None:
        terms(opening_fee_ppm=0)
        asha, account = customer(balance=20_000_00)
        loan = lent(asha, account, months=6)
        before = balance(account)
        planned = [one.total for one in plans_of([loan])[loan.pk].instalments]
        close_months(6)
        assert before - balance(account) == sum(planned)
        loan.refresh_from_db()
        assert (loan.state, owed(loan)) == ("repaid", Owed())
        assert check_loans() == []
        with connection.cursor() as cursor:
            assert findings(cursor, without=OF_THE_TEST) == []

    def test_flat_interest_and_interest_alone_are_charged_as_planned(self) -> None:
        for method in ("flat", "interest_only"):
            terms(product="vehicle" if method == "flat" else "home", method=method)
        asha, account = customer(balance=2_00_000_00)
        flat = lent(asha, account, product="vehicle", months=6)
        bullet = lent(asha, account, product="home", months=6)
        before = balance(account)
        planned = sum(
            one.total for plan in plans_of([flat, bullet]).values() for one in plan.instalments
        )
        close_months(6)
        assert before - balance(account) == planned
        assert {loan.state for loan in Loan.objects.all()} == {"repaid"}

    def test_takes_what_is_there_ages_what_is_late_and_fines_it_once(self) -> None:
        terms()
        asha, account = customer()
        loan = lent(asha, account)
        spend_all_but(account, 5_000_00)
        close_months(1)
        short = INSTALMENT - 5_000_00
        assert standing_of(loan, day=DUE).due.total == short
        for later in (1, 2, 3, 4, 6):
            close(DUE + timedelta(days=later))
            assert bool(owed(loan).penalty) == (later >= 3)
        late = standing_of(loan, day=DUE + timedelta(days=7))
        assert (late.days_late, late.bucket) == (7, Bucket.DAYS_30)
        assert owed(loan).penalty == 500_00
        assert late.due.total == short + 500_00
        assert check_loans() == []

    def test_pays_penalties_and_interest_first_and_is_in_order_again(self) -> None:
        terms()
        asha, account = customer()
        loan = lent(asha, account)
        other = customer_account(asha, balance=50_000_00)
        spend_all_but(account, 0)
        close_months(1)
        close(DUE + timedelta(days=4))
        day = DUE + timedelta(days=5)
        due = standing_of(loan, day=day).due
        first = pay(loan, 600_00, on=day, account=other)
        assert first.paid == Owed(penalty=500_00, interest=100_00)
        pay(loan, due.total - 600_00, on=day, account=other)
        assert standing_of(loan, day=day).bucket is Bucket.CURRENT
        assert LoanPlan.objects.count() == 1
        assert check_loans() == []


class TestRepayingByHand:
    def test_in_part_makes_the_coming_instalments_smaller(self) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)
        close_months(1)
        pay(loan, 40_000_00, on=DUE + timedelta(days=10))
        left = owed(loan).principal
        # Ten of the 31 days of a month's interest on ₹1,10,538.15.
        assert left == 110_538_15 - (40_000_00 - 356_57)
        plan = plans_of([loan])[loan.pk]
        assert sum(one.principal for one in plan.instalments) == left
        assert plan.instalments[0].due_date == date(2026, 3, 31)
        assert len(plan.instalments) == 11
        assert plan.instalments[0].total < INSTALMENT

    def test_whole_costs_what_the_quote_says_and_ends_the_loan(self) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)
        day = START + timedelta(days=14)
        quote = payoff_quote(asha.pk, number=loan.pk, now=start_of(day))
        assert quote.interest_since == 600_00
        # Who looks writes nothing: a day is kept when it is closed, or paid for.
        assert not InterestDay.objects.exists()
        paid = pay(loan, None, on=day)
        assert paid.paid.total == quote.total.minor == 1_20_600_00
        loan.refresh_from_db()
        assert (loan.state, owed(loan)) == ("repaid", Owed())
        close_months(1)
        assert check_loans() == []

    def test_is_made_once_under_a_key_which_stands_for_one_request(self) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)
        day = START + timedelta(days=1)
        first = pay(loan, 1_000_00, on=day, key="k")
        before = balance(account)
        assert pay(loan, 1_000_00, on=day, key="k").transfer_id == first.transfer_id
        assert balance(account) == before
        for minor, currency in ((2_000_00, "INR"), (None, "INR"), (1_000_00, "JPY")):
            with pytest.raises(OtherRequest):
                pay(loan, minor, on=day, key="k", currency=currency)
        for minor in (1_000_00, None):
            with nothing_written(), pytest.raises(MoreThanOwed) as refused:
                pay(loan, minor, on=day, currency="JPY")
            assert (refused.value.code, refused.value.field) == ("wrong_currency", "currency")

    def test_of_more_than_is_owed_or_is_there_moves_nothing(self) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)
        with nothing_written(), pytest.raises(MoreThanOwed):
            pay(loan, 1_20_000_01, on=START)
        with pytest.raises(Refused):
            pay(loan, 1_000_00, on=START, account=customer_account(person(), balance=10_000_00))
        empty = customer_account(asha)
        with pytest.raises(Refused, match="not enough"):
            pay(loan, 1_000_00, on=START, account=empty)
        assert not Repayment.objects.exists()
        assert owed(loan).total == 1_20_000_00

    def test_is_finished_when_the_process_died_after_posting(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)

        def die(*_args: object, **_kwargs: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(settling, "_note", die)
            with pytest.raises(KeyboardInterrupt):
                pay(loan, 1_000_00, on=START)
        pay(loan, 2_000_00, on=START)
        assert owed(loan).principal == 1_17_000_00
        assert {one.is_done for one in Repayment.objects.all()} == {True}
        assert check_loans() == []


class TestTheBooks:
    def test_name_a_loan_that_the_ledger_has_otherwise(self) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account)
        pay(loan, 1_000_00, on=START)
        assert check_loans() == []
        Repayment.objects.update(principal=999_00)
        Loan.objects.update(amount=1_20_001_00)
        assert reasons(check_loans()) == [
            "loan: the ledger has 12000000, the head office 12000100",
            "loan_repayment: the ledger has -100000, the head office -99900",
        ]

    def test_name_money_of_no_loan(self) -> None:
        _asha, account = customer()
        accounts = new_loan_accounts(beside=account, currency="INR")
        open_loan(accounts)
        pay_out(accounts, to=account, amount=5, fee=0, memo="", key="k", now=BEGUN)
        assert reasons(check_loans()) == ["holds 5, and is no loan's"]


def test_a_payment_goes_to_penalties_then_fees_interest_and_principal() -> None:
    debt = Owed(penalty=10, fee=20, interest=30, principal=40)
    assert allocated(5, debt) == Owed(penalty=5)
    assert allocated(45, debt) == Owed(penalty=10, fee=20, interest=15)
    assert allocated(200, debt) == debt


def spend_all_but(account: int, minor: int) -> None:
    """Take money out of an account."""
    vault = bank_accounts().number(Place.VAULT)
    away = balance(account) - minor
    post(Transfer(account, vault, inr(away), Kind.FEE), order=order())
