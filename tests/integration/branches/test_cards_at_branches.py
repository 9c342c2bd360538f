"""Cards are the head office's, what they pay is their account's branch's."""

from datetime import date, timedelta
from uuid import uuid4

import pytest

from accounts.callers import Caller
from accounts.cards.governing import NewCard, give_number, issue_card
from accounts.models import Account, Branch, Card, CardKind, CardLimit, CardTier, User
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, instant, person
from tests.integration.branches.test_crossing import account_at, balance_of
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches.moving import move_account
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import node_of
from transactions.card_payments.authorising import Authorisation, authorise_payment
from transactions.card_payments.ending import (
    PaymentEnding,
    capture_payment,
    end_expired_payments,
)
from transactions.card_payments.models import CardPayment
from transactions.chart import BankAccounts, Place
from transactions.ledger.accounts import set_holder
from transactions.ledger.codes import Code, Refused
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import BANK_CLIENT
from transactions.ledger.reads import balances

NOW = instant(year=2031)


@pytest.fixture
def asha(branches: Branches) -> User:
    """Give a customer."""
    assert branches
    return person()


@pytest.fixture
def mine(asha: User) -> int:
    """Return the customer's account in Mumbai, with ₹10."""
    number = account_at(MUM, 1, balance=1_000)
    set_holder(number, user=asha.pk, rights="owner", client=BANK_CLIENT, using=MUM)
    Account.objects.create(
        number=number,
        branch=Branch.objects.get(code=MUM),
        product="current",
        currency="INR",
        opened_at=NOW,
    )
    return number


@pytest.fixture
def number(asha: User, mine: int) -> str:
    """Return the number of a card that pays from it."""
    new = NewCard(
        person=asha.pk,
        account=mine,
        kind=CardKind.DEBIT,
        tier=CardTier.CLASSIC,
        limits=dict.fromkeys(CardLimit, 10_000),
        reference=str(uuid4()),
    )
    return give_number(issue_card(new, now=NOW), now=NOW)


def held(account: int) -> int:
    """Return what is set aside on an account, where it lives."""
    return balances([account], using=node_of(account))[0].held


def test_a_payment_is_held_at_the_branch_once_whatever_the_head_office_forgets(
    mine: int, number: str
) -> None:
    processor = person(role="admin")
    caller = Caller(
        pk=processor.pk, role=processor.role, scopes=None, via="session", credential="s"
    )

    def charge(key: str, minor: int, days: int = 0) -> CardPayment:
        asked = Authorisation(
            key=key,
            card_number=number,
            expires=date(2035, 3, 1),
            amount=inr(minor),
            merchant="Bookshop",
        )
        return authorise_payment(caller, asked, now=NOW + timedelta(days=days))[0]

    first = charge("one", 600)
    assert held(mine) == 600
    # As if the head office had failed between the branch's commit and its own; a day later, too.
    for days in (0, 1):
        CardPayment.objects.all().delete()
        assert charge("one", 600, days=days).hold_id == first.hold_id
    assert held(mine) == 600
    with pytest.raises(Refused) as refused:
        move_account(mine, code=DEL, client=BANK_CLIENT)
    assert refused.value.reason is Code.HOLD_OPEN
    ending = PaymentEnding(client=processor.pk, key="c", payment_id=first.pk)
    assert capture_payment(ending, now=NOW)[0].state == "captured"
    assert balance_of(MUM, mine) == 400
    nostro = BankAccounts(first.card.account.branch.number, "INR").number(Place.NOSTRO)
    assert balance_of(MUM, nostro) == -600
    # As if it had failed once more, before it noted the capture; and then the account moves.
    CardPayment.objects.update(state="authorised", captured=0, transfer_id=None, ended_at=None)
    move_account(mine, code=DEL, client=BANK_CLIENT)
    assert Card.objects.get().account_id == mine
    again, is_new = capture_payment(ending, now=NOW)
    assert (again.state, again.captured, is_new) == ("captured", 600, False)
    CardPayment.objects.update(state="authorised", captured=0, transfer_id=None, ended_at=None)
    assert end_expired_payments(now=NOW + timedelta(days=30)) == 1
    assert CardPayment.objects.get().captured == 600
    charge("two", 400)
    assert (node_of(mine), held(mine)) == (DEL, 400)
    assert check_books().findings == []


def test_a_silent_branch_sets_nothing_aside_and_notes_nothing(
    mine: int, number: str, server: TestServer, branches: Branches
) -> None:
    processor = person(role="admin")
    caller = Caller(
        pk=processor.pk, role=processor.role, scopes=None, via="session", credential="s"
    )
    asked = Authorisation(
        key="one", card_number=number, expires=date(2035, 3, 1), amount=inr(1), merchant="Shop"
    )
    with node_down(server, branches.mumbai), pytest.raises(BranchDown):
        authorise_payment(caller, asked, now=NOW)
    assert CardPayment.objects.count() == 0
    assert authorise_payment(caller, asked, now=NOW)[1]
    assert held(mine) == 1
