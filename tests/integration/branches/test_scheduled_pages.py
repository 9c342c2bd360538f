"""The pages of a transfer to a branch that is down: left with the bank, listed, cancelled."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.models import User
from core import clock
from tests.branches import DEL, MUM, Branches
from tests.codes import mailed_code
from tests.factories import person
from tests.integration.branches.test_crossing import account_at, balance_of
from tests.outages import node_down
from tests.servers import TestServer
from transactions.ledger.accounts import set_holder
from transactions.ledger.posting import BANK_CLIENT
from transactions.payments.models import ScheduledTransfer
from transactions.payments.scheduling import send_due_transfers

FORM = "/transfers/new/"
LIST = "/transfers/scheduled/"


@pytest.fixture
def asha(branches: Branches) -> User:
    """Give a customer."""
    assert branches
    return person()


@pytest.fixture
def pages(asha: User) -> Client:
    """Give a browser that the customer is logged in with."""
    client = Client()
    client.force_login(asha)
    return client


@pytest.fixture
def mine(asha: User) -> int:
    """Return the customer's account in Mumbai, with ₹10."""
    number = account_at(MUM, 1, balance=1_000)
    set_holder(number, user=asha.pk, rights="owner", client=BANK_CLIENT, using=MUM)
    return number


@pytest.fixture
def theirs(branches: Branches) -> int:
    """Return an empty account in Delhi."""
    assert branches
    return account_at(DEL, 1)


def typed(debit: int, credit: int, amount: str = "4") -> dict[str, object]:
    """Return what is typed into the form."""
    return {
        "token": str(uuid4()),
        "debit_account": debit,
        "credit_account": str(credit),
        "amount": amount,
        "memo": "rent",
    }


def text_of(answer: Any) -> str:
    """Return a page as text."""
    content: str = answer.content.decode()
    return content


def sending(form: dict[str, object]) -> str:
    """Return where a form is sent."""
    return f"/transfers/send/{form['token']}/"


class TestATransferToABranchThatIsDown:
    @pytest.fixture(autouse=True)
    def delhi_down(self, theirs: int, branches: Branches, server: TestServer) -> Any:
        """Take Delhi down, until the test says otherwise."""
        assert theirs
        with node_down(server, branches.delhi):
            yield

    def test_is_left_with_the_bank_by_a_tick(self, pages: Client, mine: int, theirs: int) -> None:
        form = typed(mine, theirs)
        entered = pages.post(FORM, form)
        check = text_of(pages.get(entered.headers["Location"]))
        assert "The branch DEL cannot be reached just now. Nothing was sent." in check
        assert 'name="when_back"' in check
        assert "When the branch is back" in check
        left = pages.post(sending(form), {"when_back": "on"}, follow=True)
        assert left.redirect_chain == [(LIST, 302)]
        page = text_of(left)
        for words in ("The transfer waits with us", "waiting", "₹4.00", "rent", "Cancel"):
            assert words in page
        assert pages.post(sending(form)).headers["Location"] == FORM
        assert ScheduledTransfer.objects.count() == 1

    def test_is_not_sent_without_the_tick(self, pages: Client, mine: int, theirs: int) -> None:
        form = typed(mine, theirs)
        pages.post(FORM, form)
        answer = pages.post(sending(form))
        assert answer.status_code == 503
        assert 'name="when_back"' in text_of(answer)
        assert not ScheduledTransfer.objects.exists()

    def test_is_left_once_a_code_confirms_a_large_one(
        self, asha: User, pages: Client, theirs: int
    ) -> None:
        rich = account_at(MUM, 3, balance=10_000_000)
        set_holder(rich, user=asha.pk, rights="owner", client=BANK_CLIENT, using=MUM)
        form, leave = typed(rich, theirs, amount="100000"), {"when_back": "on"}
        pages.post(FORM, form)
        question = pages.post(sending(form), leave)
        assert question.status_code == 422
        assert 'id="id_when_back" checked' in text_of(question)
        assert not ScheduledTransfer.objects.exists()
        challenge = question.context["code_field"].challenge
        code = {"step_up_challenge": challenge, "step_up_code": mailed_code()}
        left = pages.post(sending(form), {**leave, **code})
        assert left.headers["Location"] == LIST
        assert [one.amount for one in ScheduledTransfer.objects.all()] == [10_000_000]

    def test_can_be_cancelled(self, pages: Client, mine: int, theirs: int) -> None:
        form = typed(mine, theirs)
        pages.post(FORM, form)
        pages.post(sending(form), {"when_back": "on"})
        (waiting,) = ScheduledTransfer.objects.all()
        cancel = f"{LIST}{waiting.pk}/cancel/"
        stranger = Client()
        stranger.force_login(person())
        assert stranger.post(cancel).status_code == 404
        assert "Nothing waits" in text_of(stranger.get(LIST))
        assert pages.get(cancel).status_code == 405
        assert "You cancelled it" in text_of(pages.post(cancel, follow=True))
        assert "cannot be cancelled" in text_of(pages.post(cancel, follow=True))


def test_the_list_leads_to_the_receipt_of_what_was_sent(
    pages: Client, mine: int, theirs: int, branches: Branches, server: TestServer
) -> None:
    form = typed(mine, theirs)
    with node_down(server, branches.delhi):
        pages.post(FORM, form)
        pages.post(sending(form), {"when_back": "on"})
    assert send_due_transfers(now=clock.now()) == 1
    (sent,) = ScheduledTransfer.objects.all()
    assert f"/transfers/{sent.transfer_id}/" in text_of(pages.get(LIST))
    assert (balance_of(MUM, mine), balance_of(DEL, theirs)) == (600, 400)


def test_what_can_never_be_sent_is_listed_with_its_reason(
    pages: Client, mine: int, theirs: int, branches: Branches, server: TestServer
) -> None:
    form = typed(mine, theirs, amount="10.01")
    with node_down(server, branches.delhi):
        pages.post(FORM, form)
        pages.post(sending(form), {"when_back": "on"})
    assert send_due_transfers(now=clock.now()) == 0
    page = text_of(pages.get(LIST))
    assert "It was not sent." in page
    assert "not enough money" in page


def test_a_try_that_nobody_answered_is_not_said_to_be_under_way(
    asha: User, pages: Client, mine: int, theirs: int
) -> None:
    now = clock.now()
    tried = ScheduledTransfer.objects.create(
        user=asha,
        key="once",
        debit=mine,
        credit=theirs,
        amount=400,
        currency="INR",
        state="sending",
        not_before=now,
        queued_at=now,
        tried_at=now,
    )
    assert "It is being sent" in text_of(pages.get(LIST))
    ScheduledTransfer.objects.filter(pk=tried.pk).update(tried_at=now - timedelta(hours=2))
    page = text_of(pages.get(LIST))
    assert "no answer has come since" in page
    assert "It is being sent" not in page


def test_a_branch_that_is_up_is_sent_to_at_once(pages: Client, mine: int, theirs: int) -> None:
    form = typed(mine, theirs)
    check = text_of(pages.get(pages.post(FORM, form).headers["Location"]))
    assert "At once" in check
    assert "both book it, or neither" in check
    assert "when_back" not in check
    pages.post(sending(form), {"when_back": "on"})
    assert balance_of(DEL, theirs) == 400
    assert not ScheduledTransfer.objects.exists()
