"""A large transfer on the pages takes a code; a small one does not."""

from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.codes import mailed_code
from tests.factories import account, person
from transactions.ledger.reads import balances

pytestmark = pytest.mark.django_db

LARGE, SMALL = "100000.00", "99999.99"


@pytest.fixture
def accounts(asha: User) -> tuple[int, int]:
    """Give an account with a fortune in it, and somebody else's."""
    return account(balance=50_000_000, owner=asha), account(owner=person())


@pytest.fixture
def pages(asha: User) -> Client:
    """Give a browser that the customer is logged in with."""
    client = Client()
    client.force_login(asha)
    return client


def checked(pages: Client, accounts: tuple[int, int], amount: str) -> str:
    """Fill in the form, and return the address of its sending."""
    token = str(uuid4())
    typed = {
        "token": token,
        "debit_account": str(accounts[0]),
        "credit_account": str(accounts[1]),
        "amount": amount,
        "memo": "",
    }
    assert pages.post("/transfers/new/", typed).status_code == 302
    return f"/transfers/send/{token}/"


def received(accounts: tuple[int, int]) -> int:
    """Return what has arrived."""
    (found,) = balances([accounts[1]])
    return found.balance


def test_a_small_one_is_sent_at_once(pages: Client, accounts: tuple[int, int]) -> None:
    assert pages.post(checked(pages, accounts, SMALL)).status_code == 302
    assert received(accounts) == 9_999_999
    assert not mail.outbox


def test_a_large_one_is_sent_with_the_code(pages: Client, accounts: tuple[int, int]) -> None:
    send = checked(pages, accounts, LARGE)
    question = pages.post(send)
    assert question.status_code == 422
    assert received(accounts) == 0
    challenge = question.context["code_field"].challenge
    wrong = {"step_up_challenge": challenge, "step_up_code": "x"}
    assert "This is not the code" in pages.post(send, wrong).content.decode()
    assert received(accounts) == 0
    right = {**wrong, "step_up_code": mailed_code()}
    sent = pages.post(send, right)
    assert sent.headers["Location"].startswith("/transfers/")
    assert received(accounts) == 10_000_000
    assert pages.post(send, right).headers["Location"] == sent.headers["Location"]


def test_a_code_is_not_for_another_transfer(pages: Client, accounts: tuple[int, int]) -> None:
    first, second = (checked(pages, accounts, LARGE) for _ in range(2))
    challenge = pages.post(first).context["code_field"].challenge
    typed = {"step_up_challenge": challenge, "step_up_code": mailed_code()}
    assert pages.post(second, typed).status_code == 422
    assert received(accounts) == 0
