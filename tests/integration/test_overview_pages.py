"""The overview: totals, the month, how balances went, and what comes next."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from core.clock import bank_day
from tests.expectations import remember_names, statements_counted
from tests.factories import account, inr, order, person
from transactions.ledger.accounts import set_holder
from transactions.ledger.posting import BANK_CLIENT, Kind, Transfer, hold, post
from transactions.payments.models import ScheduledTransfer, StandingOrder
from transactions.statements.insights import insights_of
from transactions.statements.overview import overview_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha() -> User:
    """Give a customer."""
    return person()


@pytest.fixture
def pages(asha: User) -> Client:
    """Give a browser that the customer is logged in with."""
    client = Client()
    client.force_login(asha)
    return client


@pytest.fixture
def mine(asha: User) -> int:
    """Return an account with ₹100."""
    return account(balance=10_000, owner=asha)


def text_of(answer: Any) -> str:
    """Return a page as text, its blanks as one."""
    return " ".join(answer.content.decode().split())


def today() -> date:
    """Return the bank's day."""
    return bank_day(clock.now())


def standing_order(user: User, debit: int, credit: int, minor: int, *, first: date) -> None:
    """Let somebody pay monthly."""
    StandingOrder.objects.create(
        user=user,
        key=str(uuid4()),
        debit=debit,
        credit=credit,
        amount=minor,
        currency="INR",
        memo="rent",
        frequency="monthly",
        month_end=False,
        weekend="same",
        first_date=first,
        next_date=first,
        pay_date=first,
        created_at=clock.now(),
    )


def scheduled(user: User, debit: int, credit: int, minor: int) -> None:
    """Leave a transfer with the bank."""
    now = clock.now()
    ScheduledTransfer.objects.create(
        user=user,
        key=str(uuid4()),
        debit=debit,
        credit=credit,
        amount=minor,
        currency="INR",
        memo="to a branch that is down",
        not_before=now,
        queued_at=now,
    )


class TestFigures:
    def test_of_the_month_are_what_came_and_went(self, asha: User, mine: int) -> None:
        other = account(balance=5_000)
        post(Transfer(mine, other, inr(250), Kind.PAYMENT), order=order())
        post(Transfer(other, mine, inr(300)), order=order())
        last_year = clock.now() - timedelta(days=400)
        post(Transfer(other, mine, inr(7), event_at=last_year), order=order())
        (month,) = overview_of(asha.pk, now=clock.now()).months
        assert (month.coming, month.going, month.entries) == (inr(10_300), inr(-250), 3)

    def test_of_days_lead_to_what_there_is(self, asha: User, mine: int) -> None:
        for days, minor in ((40, 5), (3, 20), (0, 100)):
            at = clock.now() - timedelta(days=days)
            post(Transfer(mine, account(), inr(minor), event_at=at), order=order())
        (line,) = overview_of(asha.pk, now=clock.now()).lines
        assert len(line.balances) == 30
        assert line.balances[-1] == 9_875
        assert line.balances[-2] == 9_875 + 100 - 10_000
        assert line.balances[-4] == line.balances[-2]
        assert line.balances[-5] == line.balances[-2] + 20 == line.balances[0]

    def test_of_several_currencies_stand_apart(self, pages: Client, asha: User, mine: int) -> None:
        assert mine
        account(balance=700, currency="JPY", owner=asha)
        found = overview_of(asha.pk, now=clock.now())
        assert [str(total) for total in found.totals] == ["100.00 INR", "700 JPY"]
        assert [str(month.coming) for month in found.months] == ["100.00 INR", "700 JPY"]
        assert "JP¥700" in text_of(pages.get("/"))

    def test_cost_few_queries_however_many_accounts_there_are(
        self, pages: Client, asha: User, mine: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        others = [account(balance=100, owner=asha) for _ in range(4)]
        post(Transfer(others[0], mine, inr(1)), order=order())
        remember_names(monkeypatch)
        with statements_counted(monkeypatch) as sent:
            assert pages.get("/").status_code == 200
        assert len(sent) <= 6, sent


class TestWhatComes:
    def test_is_shown_with_the_balance_it_leaves(
        self, pages: Client, asha: User, mine: int
    ) -> None:
        friend = account(owner=person(full_name="Priya Nair"))
        scheduled(asha, mine, friend, 1_000)
        standing_order(asha, mine, friend, 2_500, first=today() + timedelta(days=3))
        for address in ("/", f"/accounts/{mine}/"):
            page = text_of(pages.get(address))
            assert "rent" in page
            assert "to a branch that is down" in page
            assert "₹65.00" in page

    def test_stands_beside_each_account_whose_number_folds_out(
        self, pages: Client, asha: User, mine: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = account(balance=700, owner=asha)
        standing_order(asha, mine, other, 2_500, first=today() + timedelta(days=3))
        remember_names(monkeypatch)
        with statements_counted(monkeypatch) as sent:
            page = text_of(pages.get("/accounts/"))
        assert len(sent) <= 6, sent
        assert "₹75.00 in 30 days" in page
        assert "₹32.00 in 30 days" in page
        assert f"</span> {str(mine)[-4:]} </summary>" in page
        assert f'data-copies="{mine}"' in page
        assert "style=" not in page

    def test_counts_each_date_within_thirty_days_and_no_later_one(
        self, asha: User, mine: int
    ) -> None:
        standing_order(asha, mine, account(), 100, first=today() + timedelta(days=30))
        standing_order(asha, mine, account(), 10, first=today() + timedelta(days=31))
        (line,) = overview_of(asha.pk, now=clock.now()).lines
        assert line.forecast
        assert line.forecast.balance == inr(9_900)

    def test_warns_of_the_day_on_which_money_will_lack(
        self, pages: Client, asha: User, mine: int
    ) -> None:
        standing_order(asha, mine, account(), 12_000, first=today() + timedelta(days=2))
        for address in ("/", f"/accounts/{mine}/"):
            assert "there will be ₹20.00 too little" in text_of(pages.get(address))

    def test_has_money_on_hold(self, pages: Client, asha: User, mine: int) -> None:
        shop = account(owner=person(full_name="Corner Shop"))
        until = clock.now() + timedelta(days=2)
        hold(
            account=mine,
            payee=shop,
            amount=inr(400),
            expires_at=until,
            order=order(client=asha.pk),
        )
        page = text_of(pages.get(f"/accounts/{mine}/"))
        assert "Corner Shop" in page
        assert "On hold until" in page
        assert "₹96.00" in page

    def test_of_others_is_not_shown(self, pages: Client, mine: int) -> None:
        other = person()
        standing_order(other, account(owner=other), mine, 77, first=today())
        assert "₹0.77" not in text_of(pages.get("/"))


class TestDrawings:
    def test_have_no_style_and_say_what_they_show(self, pages: Client, mine: int) -> None:
        assert mine
        page = text_of(pages.get("/"))
        assert "<polyline" in page
        assert "style=" not in page
        assert "Balance over 30 days, from ₹0.00 to ₹100.00" in page

    def test_are_hidden_with_the_amounts(self, pages: Client, mine: int) -> None:
        assert mine
        pages.post("/amounts/", {"hide": "yes"})
        page = text_of(pages.get("/"))
        assert "<polyline" not in page
        assert "₹" not in page


class TestInsights:
    @pytest.fixture
    def moved(self, asha: User, mine: int) -> int:
        """Return an account that has a history, and what went to another one of its owner's."""
        other, second = account(balance=5_000), account(owner=asha)
        this_month = clock.now()
        last_month = clock.now() - timedelta(days=this_month.day + 2)
        post(Transfer(mine, other, inr(250), Kind.PAYMENT), order=order())
        post(Transfer(other, mine, inr(300), event_at=last_month), order=order())
        post(Transfer(mine, second, inr(40)), order=order())
        post(Transfer(mine, other, inr(7)), order=order())
        long_ago = clock.now() - timedelta(days=400)
        post(Transfer(mine, other, inr(1), event_at=long_ago), order=order())
        return mine

    def test_are_of_six_months_and_add_up(self, asha: User, moved: int) -> None:
        assert moved
        found = insights_of(asha.pk, currency=None, now=clock.now())
        assert (found.currency, len(found.months)) == ("INR", 6)
        assert found.months[-1][0] == today().replace(day=1)
        last, this = (figures for _month, figures in found.months[-2:])
        assert (last.coming, last.going, last.net) == (inr(300), inr(0), inr(300))
        assert (this.coming, this.going) == (inr(10_040), inr(-297))
        assert this.entries == 5

    def test_are_sorted_by_what_money_was_for(self, asha: User, moved: int) -> None:
        assert moved
        found = insights_of(asha.pk, currency="INR", now=clock.now())
        sums = {str(one): (figures.coming.minor, figures.going.minor)
                for one, figures in found.categories}  # fmt: skip
        assert sums == {
            "cash": (10_000, 0),
            "received": (300, 0),
            "sent": (0, -7),
            "bills": (0, -250),
            "own": (40, -40),
        }

    def test_stand_in_a_table_for_who_sees_no_chart_and_in_a_file(
        self, pages: Client, moved: int
    ) -> None:
        assert moved
        page = text_of(pages.get("/insights/"))
        assert page.count("data-value=") == 18
        assert "+₹100.40" in page
        assert "Between your own accounts" in page
        file = b"".join(pages.get("/insights.csv")).decode().splitlines()
        assert file[0] == "month,in,out,net,movements,currency"
        assert file[-1] == f"{today():%Y-%m},100.40,-2.97,97.43,5,INR"
        assert len(file) == 7

    def test_say_nothing_in_drawings_while_amounts_are_hidden(
        self, pages: Client, moved: int
    ) -> None:
        assert moved
        pages.post("/amounts/", {"hide": "yes"})
        page = text_of(pages.get("/insights/"))
        assert "data-value=" not in page
        assert "₹" not in page

    def test_are_empty_where_nothing_moved_or_the_currency_is_none(
        self, pages: Client, asha: User
    ) -> None:
        for address in ("/insights/", "/insights/?currency=XXX", "/insights.csv"):
            assert pages.get(address).status_code == 200
        assert "Nothing to see yet" in text_of(pages.get("/insights/"))
        account(owner=asha, currency="JPY")
        assert insights_of(asha.pk, currency="x", now=clock.now()).currency == "JPY"


class TestWhatAMovementWasFor:
    @pytest.fixture
    def bill(self, mine: int) -> str:
        """Return a payment of ₹2.50."""
        sent = post(Transfer(mine, account(), inr(250), Kind.PAYMENT), order=order())
        return str(sent.transfer_id)

    def sums(self, user: User) -> dict[str, int]:
        """Return what is left in each category."""
        found = insights_of(user.pk, currency="INR", now=clock.now())
        return {str(one): figures.net.minor for one, figures in found.categories}

    def test_is_as_its_person_says_until_they_take_that_back(
        self, pages: Client, asha: User, bill: str
    ) -> None:
        address = f"/transfers/{bill}/"
        assert 'value="bills" selected' in text_of(pages.get(address))
        assert self.sums(asha) == {"cash": 10_000, "bills": -250}
        kept = pages.post(f"{address}category/", {"category": "home"}, follow=True)
        assert 'value="home" selected' in text_of(kept)
        assert self.sums(asha) == {"cash": 10_000, "home": -250}
        pages.post(f"{address}category/", {"category": ""})
        assert self.sums(asha) == {"cash": 10_000, "bills": -250}

    def test_is_one_of_the_categories(self, pages: Client, asha: User, bill: str) -> None:
        for wrong in ("x", "\0", "x" * 10_000):
            answer = pages.post(f"/transfers/{bill}/category/", {"category": wrong}, follow=True)
            assert "There is no such category" in text_of(answer)
        assert self.sums(asha) == {"cash": 10_000, "bills": -250}

    def test_is_nobody_elses_to_say_or_to_see(
        self, pages: Client, asha: User, mine: int, bill: str
    ) -> None:
        pages.post(f"/transfers/{bill}/category/", {"category": "home"})
        stranger = Client()
        stranger.force_login(person())
        address = f"/transfers/{bill}/category/"
        assert stranger.post(address, {"category": "food"}).status_code == 404
        friend = person()
        set_holder(mine, user=friend.pk, rights="authorised", client=BANK_CLIENT)
        assert self.sums(friend)["bills"] == -250
        assert self.sums(asha)["home"] == -250


def test_a_receipt_shows_both_parties_the_balance_and_a_reference_to_copy(
    pages: Client, mine: int
) -> None:
    friend = account(owner=person(full_name="Priya Nair"))
    sent = post(Transfer(mine, friend, inr(100), memo="🦊 rent"), order=order())
    page = text_of(pages.get(f"/transfers/{sent.transfer_id}/"))
    for words in ("Asha Rao", "Priya Nair", "🦊 rent", "₹99.00", "API", "✓ Done"):
        assert words in page
    assert f'select-all"> {sent.transfer_id} <' in page
    assert "receiving branch" not in page
