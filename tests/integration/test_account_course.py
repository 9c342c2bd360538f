"""How an account went: its figures by day, its page, and its picture, which the worker draws."""

from datetime import date, timedelta
from typing import Any

import pytest
from celery import current_app
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core import clock
from core.clock import bank_day
from core.money import Money
from portals.reports import pictures
from tests.factories import account, inr, order, person
from transactions.ledger.posting import Kind, Transfer, post
from transactions.reporting.account_days import UnfitPeriod, account_days, period_of

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


def today() -> date:
    """Return the bank's day."""
    return bank_day(clock.now())


def pay(debit: int, credit: int, minor: int, *, days_ago: int = 0) -> None:
    """Move money, as if it had happened some days ago."""
    at = clock.now() - timedelta(days=days_ago)
    post(Transfer(debit, credit, inr(minor), Kind.PAYMENT, event_at=at), order=order())


class TestDays:
    def test_lead_from_the_first_balance_to_the_last(self, asha: User, mine: int) -> None:
        other = account(balance=5_000)
        pay(mine, other, 250, days_ago=3)
        pay(other, mine, 70, days_ago=3)
        pay(mine, other, 1, days_ago=40)
        pay(mine, other, 10)
        period = period_of(
            today() - timedelta(days=4), today() - timedelta(days=1), now=clock.now()
        )
        found = account_days(asha.pk, number=mine, period=period)
        # The ₹100 came today.
        assert [one.balance for one in found.days] == [-1, -181, -181, -181]
        assert [(one.coming, one.going, one.entries) for one in found.days[:2]] == [
            (0, 0, 0),
            (70, 250, 2),
        ]
        assert (found.coming, found.going, found.net) == (inr(70), inr(250), inr(-180))
        assert found.closing == inr(-181)

    def test_end_with_the_balance_there_is(self, asha: User, mine: int) -> None:
        pay(mine, account(), 300)
        found = account_days(asha.pk, number=mine, period=period_of(None, None, now=clock.now()))
        assert found.closing == Money(9_700, "INR")
        assert len(found.months) == 6
        assert found.entries == 2

    @pytest.mark.parametrize(
        ("first", "last", "field"),
        [(None, 1, "last"), (-1, -2, "last"), (-365 * 40, 0, "first")],
    )
    def test_that_no_picture_can_be_about_are_refused(
        self, first: int | None, last: int, field: str
    ) -> None:
        days = [None if one is None else today() + timedelta(days=one) for one in (first, last)]
        with pytest.raises(UnfitPeriod) as refused:
            period_of(*days, now=clock.now())
        assert refused.value.field == field


class TestThePage:
    def test_shows_the_figures_and_where_the_pictures_are(self, pages: Client, mine: int) -> None:
        pay(mine, account(), 300)
        page = " ".join(pages.get(f"/accounts/{mine}/course/").content.decode().split())
        assert "+₹100.00" in page
        assert "₹97.00" in page
        for form in pictures.KINDS:
            assert f"/accounts/{mine}/course.{form}?first=" in page

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("first=2026-13-01", "This is no day"),
            ("last=2199-01-01", "This day is still to come."),
            ("first=2026-02-02&last=2026-02-01", "The last day is before the first one."),
            ("first=1901-01-01", "At most 30 years"),
        ],
    )
    def test_says_what_is_wrong_with_the_days(
        self, pages: Client, mine: int, query: str, words: str
    ) -> None:
        answer = pages.get(f"/accounts/{mine}/course/?{query}")
        assert answer.status_code == 422
        assert words in answer.content.decode()
        file = pages.get(f"/accounts/{mine}/course.png?{query}")
        assert (file.status_code, file["Location"]) == (302, f"/accounts/{mine}/course/?{query}")

    def test_of_somebody_elses_account_is_not_there(self, pages: Client) -> None:
        assert pages.get(f"/accounts/{account()}/course/").status_code == 404
        assert pages.get(f"/accounts/{account()}/course.svg").status_code == 404


class TestThePicture:
    def test_is_drawn_once_until_something_moves(
        self, pages: Client, mine: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn: list[Any] = []
        draw = pictures.draw_account.run

        def draw_and_note(*asked: Any) -> None:
            drawn.append(asked)
            draw(*asked)

        monkeypatch.setattr(pictures.draw_account, "run", draw_and_note)
        address = f"/accounts/{mine}/course.svg"
        first, again = pages.get(address), pages.get(address)
        assert first["Content-Type"] == "image/svg+xml"
        assert first["Content-Disposition"].startswith(f'attachment; filename="account-{mine}-')
        assert first.content == again.content
        assert len(drawn) == 1
        pay(mine, account(), 300)
        assert pages.get(address).content != first.content
        assert len(drawn) == 2

    def test_that_no_worker_draws_is_said_to_take_longer(
        self, pages: Client, mine: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(current_app.conf, "task_always_eager", value=False)
        monkeypatch.setattr(pictures, "WAIT_SECONDS", 0.1)
        answer = pages.get(f"/accounts/{mine}/course.png")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert "The picture takes longer than usual." in answer.content.decode()
        assert "+₹100.00" in answer.content.decode()

    def test_without_the_cache_and_the_broker_is_said_not_to_be_there(
        self, pages: Client, mine: int, settings: Settings
    ) -> None:
        usual = settings.CACHES["default"]
        settings.CACHES = {"default": {**usual, "LOCATION": "redis://127.0.0.1:9/0"}}
        answer = pages.get(f"/accounts/{mine}/course.png")
        assert answer.status_code == 503
        assert "Pictures cannot be made just now." in answer.content.decode()
