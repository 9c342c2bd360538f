"""The customer's cash page: what it books, once, and whom it is for."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import User
from tests.expectations import nothing_written
from tests.factories import account, inr, instant, person
from transactions.cash import CashFilling, fill_with_cash
from transactions.chart import Place
from transactions.ledger.posting import BANK_CLIENT
from transactions.ledger.reads import balances

pytestmark = pytest.mark.django_db

PAGE = "/cash/"


@pytest.fixture(autouse=True)
def machine(settings: Settings, db: None) -> None:  # noqa: ARG001  # the machine is in the database
    """Let customers serve themselves at a machine with ₹1,000 in it."""
    settings.BANK_SELF_SERVICE_CASH = True
    filling = CashFilling(
        user=BANK_CLIENT, key="fill", node="default", place=Place.MACHINE, amount=inr(100_000)
    )
    fill_with_cash(filling, now=instant())


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


def typed(number: int, way: str = "in", **changes: Any) -> dict[str, object]:
    """Return what is typed into the form."""
    return {"token": str(uuid4()), "account": number, "amount": "200", "way": way, **changes}


def text_of(answer: Any) -> str:
    """Return a page as text."""
    content: str = answer.content.decode()
    return content


@pytest.mark.parametrize(
    ("way", "kind", "left"), [("in", "Deposit", 70_000), ("out", "Cash withdrawal", 30_000)]
)
def test_cash_moves_and_the_receipt_says_by_which_way(
    pages: Client, asha: User, way: str, kind: str, left: int
) -> None:
    mine = account(balance=50_000, owner=asha)
    answer = pages.post(PAGE, typed(mine, way, amount="₹200.00"), follow=True)
    page = text_of(answer)
    assert re.search(r"/transfers/[-0-9a-f]{36}/", answer.redirect_chain[0][0])
    assert kind in page
    assert "Cash machine" in page
    assert balances([mine])[0].balance == left


def test_it_is_in_the_menu_of_whom_it_is_for(pages: Client) -> None:
    menu = r'<div class="drop">.*href="/cash/"'
    assert re.search(menu, text_of(pages.get("/profile/")), re.DOTALL)
    staff = Client()
    staff.force_login(person(role="employee"))
    assert not re.search(menu, text_of(staff.get("/profile/")), re.DOTALL)


def test_a_form_moves_cash_once(pages: Client, asha: User) -> None:
    mine = account(owner=asha)
    form = typed(mine)
    places = {pages.post(PAGE, form).headers["Location"] for _ in range(3)}
    assert len(places) == 1
    assert balances([mine])[0].balance == 20_000


def test_a_form_that_was_used_and_changed_asks_again(pages: Client, asha: User) -> None:
    mine = account(owner=asha)
    form = typed(mine)
    pages.post(PAGE, form)
    with transaction.atomic():
        answer = pages.post(PAGE, {**form, "amount": "300"})
    assert answer.status_code == 422
    assert "Cash was moved with this form already" in text_of(answer)
    assert str(form["token"]) not in text_of(answer)
    assert balances([mine])[0].balance == 20_000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": "0"}, "more than zero"),
        ({"amount": "x"}, "not an amount"),
        ({"amount": ""}, "Enter an amount"),
        ({"account": "100000000017"}, "Select a valid choice"),
        ({"way": "out", "amount": "500.01"}, "not enough money in the account"),
        ({"amount": "50,001"}, "more cash than may still move"),
        ({"token": "x"}, "valid UUID"),
    ],
)
def test_the_page_says_what_is_wrong_and_moves_nothing(
    pages: Client, asha: User, changes: dict[str, Any], words: str
) -> None:
    mine = account(balance=50_000, owner=asha)
    with nothing_written(), transaction.atomic():
        answer = pages.post(PAGE, typed(mine, **changes))
    assert answer.status_code == 422
    assert words in text_of(answer)


def test_a_press_of_neither_button_moves_nothing(pages: Client, asha: User) -> None:
    mine = account(balance=50_000, owner=asha)
    with nothing_written():
        assert pages.post(PAGE, typed(mine, "")).status_code == 200


def test_the_page_says_what_a_day_allows(pages: Client, asha: User) -> None:
    account(owner=asha), account(currency="KWD", owner=asha)
    page = text_of(pages.get(PAGE))
    assert "₹50,000.00" in page
    assert "180.000" in page


def test_without_self_service_there_is_no_page_and_no_tab(
    pages: Client, asha: User, settings: Settings
) -> None:
    mine = account(owner=asha)
    assert 'href="/cash/"' in text_of(pages.get("/"))
    settings.BANK_SELF_SERVICE_CASH = False
    assert 'href="/cash/"' not in text_of(pages.get("/"))
    with nothing_written():
        assert pages.get(PAGE).status_code == 404
        assert pages.post(PAGE, typed(mine)).status_code == 404


def test_visitors_are_sent_to_the_door() -> None:
    assert Client().get(PAGE).headers["Location"] == "/auth/login/?next=/cash/"
