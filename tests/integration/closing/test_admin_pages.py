"""Products, holidays and days closed in the Django admin."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.approvals import approve, refuse
from accounts.models import Approval, Product, Role, User
from core import clock
from core.clock import bank_day
from tests.factories import checker, person
from tests.integration.closing.bank import savings, terms
from transactions.calendars.models import Holiday
from transactions.closing.models import BankDay, ClosingStep
from transactions.products.changing import InvalidTerms, TermsRequest, ask_terms
from transactions.products.models import ProductTerms
from transactions.products.terms import rates_on

pytestmark = pytest.mark.django_db

PRODUCTS = "/admin/transactions/productterms/"
HOLIDAYS = "/admin/transactions/holiday/"


def staff(*permissions: str) -> User:
    one = person(role=Role.ADMIN, is_staff=True)
    one.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return one


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


def tomorrow() -> date:
    return bank_day(clock.now()) + timedelta(days=1)


def typed(**changes: str) -> dict[str, str]:
    usual = {
        "product": "savings",
        "currency": "inr",
        "effective_from": f"{tomorrow()}",
        "rate": "3.75",
        "fee": "",
        "reason": "as agreed",
    }
    return {**usual, **changes}


class TestTerms:
    def test_are_asked_for_and_hold_once_another_admin_approves(self) -> None:
        maker, mine = staff("add_productterms", "view_productterms"), savings(person())
        terms()
        client = browser(maker)
        page = text_of(client.post(f"{PRODUCTS}add/", typed(fee="1,250.50"), follow=True))
        assert "Somebody else must approve it now." in page
        (asked,) = Approval.objects.all()
        assert asked.payload["accounts_affected"] == 1
        assert rates_on(tomorrow()) == {mine: 35_000}
        assert approve(asked.pk, checker=checker().pk).state == "done"
        assert rates_on(tomorrow()) == {mine: 37_500}
        assert rates_on(tomorrow() - timedelta(days=1)) == {mine: 35_000}
        page = text_of(client.get(PRODUCTS))
        for shown in ("3.75 %", "1250.50 INR", "1 account"):
            assert shown in page

    def test_that_are_refused_never_hold(self) -> None:
        maker = staff("add_productterms", "view_productterms")
        browser(maker).post(f"{PRODUCTS}add/", typed())
        refuse(Approval.objects.get().pk, checker=checker().pk, reason="too much")
        assert not ProductTerms.objects.exists()

    @pytest.mark.parametrize(
        "wrong",
        [
            {"effective_from": "2024-02-29"},
            {"effective_from": "2999-02-28"},
            {"rate": "100.0001"},
            {"rate": "-1"},
            {"rate": "1e9"},
            {"fee": "-5"},
            {"fee": "99999999999"},
            {"currency": "XXX"},
            {"product": "loan"},
            {"reason": ""},
        ],
    )
    def test_that_cannot_be_are_refused_with_the_form(self, wrong: dict[str, str]) -> None:
        client = browser(staff("add_productterms", "view_productterms"))
        answer = client.post(f"{PRODUCTS}add/", typed(**wrong))
        assert answer.status_code == 422
        assert not Approval.objects.exists()

    def test_that_were_approved_too_late_do_not_hold(self) -> None:
        asked = TermsRequest(
            product=Product.SAVINGS,
            currency="INR",
            effective_from=tomorrow(),
            rate_ppm=1,
            monthly_fee=0,
        )
        approval = ask_terms(asked, maker=staff().pk, reason="x", now=clock.now())
        approval.payload["effective_from"] = f"{tomorrow() - timedelta(days=1)}"
        approval.save()
        assert approve(approval.pk, checker=checker().pk).state == "failed"
        assert not ProductTerms.objects.exists()
        with pytest.raises(InvalidTerms):
            ask_terms(asked, maker=staff().pk, reason="x", now=clock.now() + timedelta(days=1))


class TestHolidays:
    def test_are_added_and_withdrawn(self) -> None:
        client = browser(staff("add_holiday", "view_holiday"))
        asked = {"day": f"{tomorrow()}", "name": "Holi", "branch": ""}
        assert client.post(f"{HOLIDAYS}add/", asked).status_code == 302
        assert "already" in text_of(client.post(f"{HOLIDAYS}add/", asked))
        past = {**asked, "day": "2024-02-29"}
        assert client.post(f"{HOLIDAYS}add/", past).status_code == 422
        (holiday,) = Holiday.objects.all()
        assert "Withdraw" in text_of(client.get(f"{HOLIDAYS}{holiday.pk}/change/"))
        address = f"{HOLIDAYS}{holiday.pk}/withdraw/"
        assert client.get(address).status_code == 200
        assert client.post(address).status_code == 302
        assert client.post(address).status_code == 422
        holiday.refresh_from_db()
        assert holiday.withdrawn_at is not None
        assert client.post(f"{HOLIDAYS}9999/withdraw/").status_code == 404

    def test_are_left_alone_by_who_may_only_look(self) -> None:
        client = browser(staff("view_holiday"))
        assert client.get(HOLIDAYS).status_code == 200
        for page in ("add/", "1/withdraw/"):
            assert client.post(HOLIDAYS + page).status_code == 403


def test_days_closed_are_shown_with_their_steps() -> None:
    now = clock.now()
    position = {"customers": {"INR": 123_456}, "in_transit": {"INR": 0}, "is_sound": True}
    day = BankDay.objects.create(
        day=date(2024, 2, 29), begun_at=now, closed_at=now, position=position
    )
    ClosingStep.objects.create(
        day=day,
        name="fees",
        items=2,
        amounts={"INR": 10_000},
        left_out={"insufficient_funds": 7},
        finished_at=now,
    )
    client = browser(staff("view_bankday", "view_closingstep"))
    address = "/admin/transactions/bankday/"
    assert "1234.56 INR" in text_of(client.get(address))
    page = text_of(client.get(f"{address}2024-02-29/change/"))
    for shown in ("fees", "100.00 INR", "7 insufficient funds", "1234.56 INR"):
        assert shown in page
