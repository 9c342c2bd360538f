"""The account desk in the Django admin: who gets there, and what it does."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client

from accounts.models import Account, Approval, Holding
from core import clock
from tests.factories import customer_account, person
from transactions.limits.changing import limits_view

pytestmark = pytest.mark.django_db

DESK = "/admin/transactions/accountdesk/"


def desk(*permissions: str) -> Client:
    """Give a browser of an admin with these permissions."""
    admin = person(role="admin", is_staff=True)
    admin.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(admin)
    return client


def typed(number: int, what: str, **changes: str) -> dict[str, str]:
    """Return what is typed to change an account."""
    form = {"token": str(uuid4()), "account": str(number), "what": what, "user_id": ""}
    return {**form, "reason": "asked for", **changes}


def send(client: Client, form: dict[str, str]) -> tuple[int, str]:
    """Send the form; return the status and the page that follows."""
    with transaction.atomic():
        answer: Any = client.post(DESK, form, follow=True)
    return answer.status_code, answer.content.decode()


def test_closes_an_empty_account_once() -> None:
    client, number = desk("govern_account"), customer_account(person())
    form = typed(number, "close")
    for _ in range(2):
        assert "Done." in send(client, form)[1]
    assert Account.objects.get(pk=number).status == "closed"


def test_lets_a_second_admin_decide_about_freezing() -> None:
    client, number = desk("govern_account"), customer_account(person())
    form = typed(number, "freeze")
    assert "A second admin must approve it" in send(client, form)[1]
    send(client, form)
    assert Approval.objects.count() == 1
    assert Account.objects.get(pk=number).status == "open"


def test_authorises_a_person_by_their_user_id() -> None:
    client, number, vikram = desk("govern_account"), customer_account(person()), person()
    vikram.refresh_from_db()
    form = typed(number, "authorised", user_id=str(vikram.number))
    assert "Done." in send(client, form)[1]
    assert Holding.objects.get(account=number, user=vikram).rights == "authorised"


def test_sets_limits_lower_at_once_and_higher_when_a_second_admin_agrees() -> None:
    client, number = desk("govern_account"), customer_account(person())
    assert "Done." in send(client, typed(number, "daily_limit", limit="5000"))[1]
    assert limits_view(number, now=clock.now()).limits.daily_limit == 500_000
    for what, limit in (("daily_limit", ""), ("overdraft_limit", "250.50")):
        page = send(client, typed(number, what, limit=limit))[1]
        assert "A second admin must approve it" in page
    waiting = [line.payload["limits"] for line in Approval.objects.order_by("asked_at")]
    assert waiting == [{"daily_limit": None}, {"overdraft_limit": 25_050}]


@pytest.mark.parametrize(
    ("what", "changes", "words"),
    [
        ("close", {}, "closed at balance zero only"),
        ("close", {"account": "12"}, "An account number has 12 digits."),
        ("close", {"account": "100777777774"}, "There is no such account."),
        ("close", {"reason": ""}, "This field is required."),
        ("close", {"payout_account": "12"}, "An account number has 12 digits."),
        ("close", {"payout_account": "100777777774"}, "belongs to an owner of this one"),
        ("owner", {}, "A user ID has 11 digits."),
        ("transfer_limit", {"limit": "ten"}, "not an amount"),
        ("overdraft_limit", {}, "not an amount"),
        ("steal", {}, "Select a valid choice."),
    ],
)
def test_says_why_it_does_nothing(what: str, changes: dict[str, str], words: str) -> None:
    client, number = desk("govern_account"), customer_account(person(), balance=1)
    status, page = send(client, typed(number, what, **changes))
    assert status == 422
    assert words in page
    assert Account.objects.get(pk=number).status == "open"


def test_is_closed_to_those_without_the_permission() -> None:
    number = customer_account(person())
    status, _page = send(desk("book_cash"), typed(number, "close"))
    assert status == 403
    assert Account.objects.get(pk=number).status == "open"
    assert DESK not in desk("book_cash").get("/admin/").content.decode()
