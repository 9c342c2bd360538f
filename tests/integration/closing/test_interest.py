"""Interest: kept each day, added up, rounded once, and posted once."""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from django.test import Client

from accounts.models import Account
from bankproject.runtime.postgres import BankUrls
from core.clock import start_of
from core.db.errors import Busy
from tests.expectations import nothing_written, refusing, remember_names, statements_counted
from tests.factories import BRANCH, person
from tests.integration.closing.bank import (
    AFTER,
    INDIA,
    LAST,
    accruals,
    asked,
    interest_of,
    noon,
    open_months,
    put_in,
    record_at,
    savings,
    terms,
)
from transactions.account_desk import interest_at_closing
from transactions.chart import BankAccounts, Place
from transactions.closing.models import BankDay
from transactions.governing import change_status
from transactions.interest import paying
from transactions.interest.accruing import accrue_interest
from transactions.interest.closing import (
    Closing,
    DayNotClosed,
    InterestDue,
    PayoutNotOwners,
    close_with_interest,
)
from transactions.interest.earned import terms_of_account
from transactions.interest.models import WithheldInterest
from transactions.interest.paying import pay_interest
from transactions.ledger.accounts import Status, set_limits
from transactions.ledger.accruals import accrue
from transactions.ledger.codes import Code, Refused
from transactions.ledger.invariants import check_books
from transactions.ledger.reads import balances
from transactions.products.terms import rates_on

FIRST = date(2024, 2, 1)


@pytest.fixture
def bank(fresh_bank: BankUrls) -> BankUrls:
    """Give an empty bank that may record what happened in the spring of 2024."""
    open_months()
    record_at(fresh_bank.owner, noon(date(2024, 1, 10)))
    return fresh_bank


def accrue_month(first: date, last: date) -> None:
    """Let the ledger keep each day, without what comes around it."""
    day = first
    while day <= last:
        following = day + timedelta(days=1)
        accrue(day, until=start_of(following), rates=rates_on(day), late=())
        day = following


def rounded(exact: Fraction) -> int:
    quotient = Decimal(exact.numerator) / Decimal(exact.denominator)
    return int(quotient.quantize(Decimal(1), ROUND_HALF_EVEN))


class TestADay:
    def test_earns_on_what_was_there_when_it_ended_in_the_banks_time_zone(
        self, bank: BankUrls
    ) -> None:
        terms()
        mine = savings(person())
        record_at(bank.owner, datetime(2024, 2, 10, 23, 59, 50, tzinfo=INDIA))
        put_in(mine, 1_000)
        record_at(bank.owner, datetime(2024, 2, 11, 0, 0, 1, tzinfo=INDIA))
        put_in(mine, 500)
        for day, balance in ((9, None), (10, 1_000), (11, 1_500)):
            accrue_interest(date(2024, 2, day))
            kept = [one.balance for one in accruals(mine) if one.day.day == day]
            assert kept == ([] if balance is None else [balance])

    def test_counts_once_with_what_was_kept_first(self, bank: BankUrls) -> None:
        assert bank
        known = terms()
        mine, other = savings(person()), savings(person())
        put_in(mine, 1_000)
        assert accrue_interest(FIRST).items == 1
        known.rate_ppm = 99_000
        known.save()
        put_in(other, 1_000)
        assert accrue_interest(FIRST).items == 2
        assert [(one.balance, one.rate_ppm) for one in accruals(mine)] == [(1_000, 35_000)]

    def test_earns_nothing_below_zero_without_terms_or_at_no_rate(self, bank: BankUrls) -> None:
        assert bank
        terms(rate_ppm=0, currency="CZK")
        terms()
        owing, koruny, yen = (savings(person(), currency=name) for name in ("INR", "CZK", "JPY"))
        set_limits(owing, overdraft_limit=1_000, daily_limit=None, client=0, reason="test")
        put_in(owing, -800)
        put_in(koruny, 1_000, currency="CZK")
        put_in(yen, 1_000, currency="JPY")
        assert accrue_interest(FIRST).items == 0

    def test_has_the_rate_that_holds_on_it(self, bank: BankUrls) -> None:
        assert bank
        terms()
        terms(rate_ppm=40_000, since=date(2024, 2, 2))
        mine = savings(person())
        put_in(mine, 1_000)
        accrue_month(FIRST, date(2024, 2, 3))
        assert [one.rate_ppm for one in accruals(mine)] == [35_000, 40_000, 40_000]

    def test_that_is_not_over_is_refused(self, bank: BankUrls) -> None:
        assert bank
        with pytest.raises(Refused, match="past"):
            accrue_interest(datetime.now(INDIA).date())


class TestAMonth:
    def test_of_a_leap_year_is_29_days_of_a_365th_rounded_once(self, bank: BankUrls) -> None:
        terms()
        mine, poor = savings(person()), savings(person())
        put_in(mine, 1_234_567)
        put_in(poor, 1)
        accrue_month(FIRST, LAST)
        record_at(bank.owner, AFTER)
        outcome = pay_interest(LAST, now=AFTER)
        minor = rounded(Fraction(29 * 1_234_567 * 35_000, 365 * 10**6))
        assert minor == 3_433
        assert interest_of(mine) == {"2024-02": minor}
        assert interest_of(poor) == {}
        assert (outcome.items, outcome.amounts, outcome.left_out) == (1, {"INR": minor}, {})
        expense = BankAccounts(BRANCH, "INR").number(Place.INTEREST_EXPENSE)
        assert balances([expense])[0].balance == minor
        ((event_at,),) = asked("SELECT event_at FROM ledger.journal WHERE kind = 'interest'", [])
        assert event_at.astimezone(INDIA).date() == LAST

    def test_is_posted_once_and_begins_anew(self, bank: BankUrls) -> None:
        terms()
        mine = savings(person())
        put_in(mine, 1_000_000)
        accrue_month(FIRST, LAST)
        record_at(bank.owner, AFTER)
        for _again in range(2):
            assert pay_interest(LAST, now=AFTER).items == 1
        accrue_month(date(2024, 3, 1), date(2024, 3, 31))
        end = noon(date(2024, 4, 1))
        record_at(bank.owner, end)
        pay_interest(date(2024, 3, 31), now=end)
        paid = interest_of(mine)
        assert paid["2024-02"] == rounded(Fraction(29 * 1_000_000 * 35_000, 365 * 10**6))
        grown = 31 * (1_000_000 + paid["2024-02"])
        assert paid["2024-03"] == rounded(Fraction(grown * 35_000, 365 * 10**6))
        assert check_books().findings == []

    def test_is_posted_to_more_accounts_than_a_page_has(
        self, bank: BankUrls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terms()
        accounts = [savings(person()) for _nth in range(4)]
        for account in accounts:
            put_in(account, 1_000_000)
        accrue_interest(LAST)
        record_at(bank.owner, AFTER)
        monkeypatch.setattr(paying, "PAGE", 2)
        assert pay_interest(LAST, now=AFTER).items == 4

    def test_waits_while_the_account_is_frozen(self, bank: BankUrls) -> None:
        terms()
        mine, closed = savings(person()), savings(person())
        for account in (mine, closed):
            put_in(account, 1_000_000)
        accrue_month(FIRST, LAST)
        put_in(closed, -1_000_000)
        for account, status in ((mine, Status.FROZEN), (closed, Status.CLOSED)):
            change_status(account, status=status, client=0, key=status, reason="test")
        record_at(bank.owner, AFTER)
        outcome = pay_interest(LAST, now=AFTER)
        assert (outcome.items, outcome.left_out) == (0, {"credit_account_frozen": 1})
        assert [waiting.account for waiting in WithheldInterest.objects.all()] == [mine]
        change_status(mine, status=Status.OPEN, client=0, key="open", reason="test")
        end = noon(date(2024, 4, 1))
        for _again in range(2):
            pay_interest(date(2024, 3, 31), now=end)
        assert list(interest_of(mine)) == ["2024-02"]
        assert interest_of(closed) == {}
        assert not WithheldInterest.objects.exists()


def close(number: int, *, payout: int | None, now: datetime, key: str = "close") -> None:
    wanted = Closing(account=number, payout=payout, client=0, key=key, reason="moves abroad")
    close_with_interest(wanted, now=now)


class TestClosingAnAccount:
    def test_pays_out_what_it_has_earned_in_each_month_once(self, bank: BankUrls) -> None:
        terms()
        owner = person()
        mine, other = savings(owner), savings(owner)
        put_in(mine, 1_234_567)
        accrue_month(date(2024, 1, 10), date(2024, 1, 31))
        accrue_month(FIRST, date(2024, 2, 28))
        record_at(bank.owner, noon(LAST))
        put_in(mine, -1_234_567)
        expected = {
            "2024-01": rounded(Fraction(22 * 1_234_567 * 35_000, 365 * 10**6)),
            "2024-02": rounded(Fraction(28 * 1_234_567 * 35_000, 365 * 10**6)),
        }
        due = interest_at_closing(mine, now=noon(LAST))
        assert due.amount.minor == sum(expected.values())
        for _again in range(2):
            close(mine, payout=other, now=noon(LAST))
        assert interest_of(mine) == expected
        assert [one.balance for one in balances([mine, other])] == [0, due.amount.minor]
        assert Account.objects.get(pk=mine).status == "closed"
        assert check_books().findings == []
        accrue_month(LAST, LAST)
        record_at(bank.owner, AFTER)
        pay_interest(LAST, now=AFTER)
        close(mine, payout=other, now=AFTER)
        assert interest_of(mine) == expected
        assert check_books().findings == []

    def test_names_the_sum_when_nobody_says_where_it_goes(self, bank: BankUrls) -> None:
        terms()
        owner = person()
        mine, stranger = savings(owner), savings(person())
        put_in(mine, 1_234_567)
        accrue_month(FIRST, date(2024, 2, 28))
        record_at(bank.owner, noon(LAST))
        put_in(mine, -1_234_567)
        with nothing_written():
            with pytest.raises(InterestDue, match=r"33\.15 INR"):
                close(mine, payout=None, now=noon(LAST))
            with pytest.raises(PayoutNotOwners):
                close(mine, payout=stranger, now=noon(LAST))
            with refusing(Code.SAME_ACCOUNT):
                close(mine, payout=mine, now=noon(LAST))

    def test_leaves_all_as_it_was_when_something_is_in_the_way(self, bank: BankUrls) -> None:
        terms()
        owner = person()
        mine, other = savings(owner), savings(owner)
        put_in(mine, 1_234_567)
        accrue_month(FIRST, date(2024, 2, 28))
        record_at(bank.owner, noon(LAST))
        with nothing_written(), refusing(Code.BALANCE_NOT_ZERO):
            close(mine, payout=other, now=noon(LAST))
        put_in(mine, -1_234_567)
        change_status(other, status=Status.FROZEN, client=0, key="frozen", reason="test")
        with nothing_written(), refusing(Code.CREDIT_ACCOUNT_FROZEN):
            close(mine, payout=other, now=noon(LAST))
        change_status(other, status=Status.OPEN, client=0, key="open", reason="test")
        change_status(mine, status=Status.FROZEN, client=0, key="mine", reason="test")
        with nothing_written(), refusing(Code.DEBIT_ACCOUNT_FROZEN):
            close(mine, payout=other, now=noon(LAST))

    def test_waits_for_yesterday_and_for_no_day_to_turn_meanwhile(self, bank: BankUrls) -> None:
        terms()
        owner = person()
        mine, other = savings(owner), savings(owner)
        put_in(mine, 1_234_567)
        accrue_month(FIRST, date(2024, 2, 27))
        day = BankDay.objects.create(day=date(2024, 2, 27), begun_at=AFTER)
        day.steps.create(name="accruals", items=1, finished_at=AFTER)
        record_at(bank.owner, noon(LAST))
        put_in(mine, -1_234_567)
        with nothing_written(), pytest.raises(DayNotClosed, match="2024-02-28"):
            close(mine, payout=other, now=noon(LAST))
        with nothing_written(), pytest.raises(Busy):
            close(mine, payout=other, now=noon(date(2024, 2, 28)))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("total", "minor"),
    [
        (182_499_999, 0),
        (182_500_000, 0),
        (182_500_001, 1),
        (547_500_000, 2),
        (912_500_000, 2),
        (365_000_000 * 10**15 + 182_500_000, 10**15),
    ],
)
def test_half_a_unit_goes_to_the_even_one(total: int, minor: int) -> None:
    ((found,),) = asked("SELECT ledger.interest_v1(%s)", [total])
    assert found == minor


class TestWhatItsHolderSees:
    def test_is_earned_until_it_is_paid_in_and_comes_to_the_same(self, bank: BankUrls) -> None:
        terms()
        terms(rate_ppm=40_000, fee=2_500, since=date(2024, 3, 1))
        owner = person()
        mine = savings(owner)
        put_in(mine, 1_234_567)
        accrue_month(FIRST, LAST)
        before = terms_of_account(owner.pk, number=mine, now=noon(LAST))
        assert before.earned
        assert before.earned.until == LAST
        assert before.postings == []
        assert before.known
        assert before.known.terms
        assert before.known.terms.rate_ppm == 35_000
        assert before.known.coming
        assert before.known.coming.rate_ppm == 40_000
        record_at(bank.owner, AFTER)
        pay_interest(LAST, now=AFTER)
        accrue_month(date(2024, 3, 1), date(2024, 3, 1))
        after = terms_of_account(owner.pk, number=mine, now=noon(date(2024, 3, 2)))
        (posting,) = after.postings
        assert posting.amount == before.earned.amount
        assert posting.amount.minor == interest_of(mine)["2024-02"]
        (march,) = accruals(mine)[-1:]
        assert after.earned
        assert after.earned.amount.minor == rounded(
            Fraction(march.balance * march.rate_ppm, 365_000_000)
        )

    def test_is_on_a_page_that_asks_little(
        self, bank: BankUrls, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        terms()
        terms(rate_ppm=40_000, fee=2_500, since=date(2024, 3, 1))
        owner = person()
        mine = savings(owner)
        put_in(mine, 1_234_567)
        accrue_month(FIRST, LAST)
        record_at(bank.owner, AFTER)
        pay_interest(LAST, now=AFTER)
        client = Client()
        client.force_login(owner)
        remember_names(monkeypatch)
        with statements_counted(monkeypatch) as sent:
            page = client.get(f"/accounts/{mine}/terms/").content.decode()
        assert len(sent) <= 8, sent
        for words in ("Savings account", "4\N{NO-BREAK SPACE}%", "₹25.00", "+₹34.33"):
            assert words in page

    def test_waits_with_an_account_that_was_frozen(self, bank: BankUrls) -> None:
        terms()
        owner = person()
        mine = savings(owner)
        put_in(mine, 1_234_567)
        accrue_month(FIRST, LAST)
        change_status(mine, status=Status.FROZEN, client=0, key="frozen", reason="test")
        record_at(bank.owner, AFTER)
        pay_interest(LAST, now=AFTER)
        found = terms_of_account(owner.pk, number=mine, now=noon(date(2024, 4, 20)))
        assert found.earned
        assert found.earned.amount.minor > 0
