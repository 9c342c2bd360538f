"""The cash desk in the Django admin: who may do what there, and what it books."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client

from tests.expectations import nothing_written
from tests.factories import BRANCH, account, person
from transactions.cash import most_at_counter
from transactions.chart import BankAccounts, Place
from transactions.ledger.reads import balances

pytestmark = pytest.mark.django_db

DESK = "/admin/transactions/cashdesk/"


def desk(*permissions: str, is_staff: bool = True) -> Client:
    """Give a browser of a member of staff with these permissions."""
    teller = person(is_staff=is_staff)
    teller.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(teller)
    return client


def booking(number: int, button: str = "deposit", **changes: str) -> dict[str, str]:
    """Return what is typed to book cash of a customer."""
    form = {
        "token": str(uuid4()),
        "account": str(number),
        "amount": "2,000",
        "currency": "INR",
        "memo": "",
    }
    named = {f"booking-{name}": value for name, value in {**form, **changes}.items()}
    return {button: "pressed", **named}


def filling(place: str = "machine", **changes: str) -> dict[str, str]:
    """Return what is typed to bring cash from the vault."""
    form = {
        "token": str(uuid4()),
        "node": "default",
        "place": place,
        "amount": "5000",
        "currency": "INR",
    }
    named = {f"filling-{name}": value for name, value in {**form, **changes}.items()}
    return {"filling": "pressed", **named}


def text_of(answer: Any) -> str:
    """Return a page as text."""
    content: str = answer.content.decode()
    return content


def test_cash_is_brought_booked_and_told() -> None:
    client, number = desk("book_cash", "fill_with_cash"), account()
    assert "Booked. 5000.00 INR" in text_of(client.post(DESK, filling("till"), follow=True))
    assert "Booked. 2000.00 INR" in text_of(client.post(DESK, booking(number), follow=True))
    out = booking(number, "withdrawal", amount="₹500")
    assert "Booked. 500.00 INR" in text_of(client.post(DESK, out, follow=True))
    till = BankAccounts(BRANCH, "INR").number(Place.TILL)
    assert {one.number: one.balance for one in balances([till, number])} == {
        till: 650_000,
        number: 150_000,
    }


def test_an_empty_machine_can_be_filled() -> None:
    client = desk("fill_with_cash")
    client.post(DESK, filling("machine"))
    machine = BankAccounts(BRANCH, "INR").number(Place.MACHINE)
    assert balances([machine])[0].balance == 500_000


def test_a_form_books_once() -> None:
    client, number = desk("book_cash", "fill_with_cash"), account()
    client.post(DESK, filling("till"))
    form = booking(number)
    client.post(DESK, form)
    assert "Booked before, and not again." in text_of(client.post(DESK, form, follow=True))
    assert balances([number])[0].balance == 200_000


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"account": "100000000018"}, "no account number"),
        ({"account": "100000000025"}, "no account with the number"),
        ({"amount": "12,50"}, "commas only group thousands"),
        ({"amount": ""}, "This field is required"),
        ({"currency": "XXX"}, "Select a valid choice"),
        ({"currency": "KWD"}, "can be read in two ways"),
        ({"currency": "KWD", "amount": "2000"}, "another currency than the amount"),
        ({"memo": "a\u202eb"}, "invisible character"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_booked(changes: dict[str, str], words: str) -> None:
    client, number = desk("book_cash", "fill_with_cash"), account()
    client.post(DESK, filling("till"))
    with nothing_written(), transaction.atomic():
        answer = client.post(DESK, booking(number, **changes))
    assert answer.status_code == 422
    assert words in text_of(answer)


def test_a_booking_beyond_the_counters_limit_is_refused() -> None:
    client, number = desk("book_cash", "fill_with_cash"), account()
    client.post(DESK, filling("till"))
    beyond = str(most_at_counter("INR").decimal + 1)
    with nothing_written():
        answer = client.post(DESK, booking(number, amount=beyond))
    assert "At the counter at most 1000000.00 INR" in text_of(answer)


def test_each_permission_opens_its_own_form_alone() -> None:
    number = account()
    book, fill = desk("book_cash"), desk("fill_with_cash")
    assert 'name="deposit"' in text_of(book.get(DESK))
    assert 'name="filling"' not in text_of(book.get(DESK))
    assert 'name="filling"' in text_of(fill.get(DESK))
    assert 'name="deposit"' not in text_of(fill.get(DESK))
    with nothing_written():
        assert book.post(DESK, filling()).status_code == 403
        assert fill.post(DESK, booking(number)).status_code == 403


def test_without_permission_there_is_no_desk() -> None:
    number = account()
    with nothing_written():
        assert desk().get(DESK).status_code == 403
        assert desk().post(DESK, booking(number)).status_code == 403
    assert "cashdesk" not in text_of(desk().get("/admin/"))
    assert "cashdesk" in text_of(desk("book_cash").get("/admin/"))
    assert desk("book_cash", is_staff=False).get(DESK).status_code == 302
