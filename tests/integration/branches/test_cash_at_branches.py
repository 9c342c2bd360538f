"""Cash moves at the branch where the account lives, and needs no other."""

import os
import socket
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from accounts.models import User
from core.errors import DomainError
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, instant, person
from tests.integration.branches.test_crossing import account_at, balance_of
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches.moving import move_account
from transactions.cash import (
    CashFilling,
    CashRequest,
    daily_at_machine,
    deposit_cash,
    fill_with_cash,
    withdraw_cash,
)
from transactions.chart import BankAccounts, Place
from transactions.ledger.accounts import set_holder
from transactions.ledger.codes import Code, Refused
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import BANK_CLIENT, Channel

NOW = instant()


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
    return number


@pytest.fixture(autouse=True)
def machines(branches: Branches, settings: Settings) -> None:
    """Let customers serve themselves at the machines of head office and branches, with ₹5 each."""
    assert branches
    settings.BANK_SELF_SERVICE_CASH = True
    for node in ("default", MUM, DEL):
        filling = CashFilling(
            user=BANK_CLIENT, key=str(uuid4()), node=node, place=Place.MACHINE, amount=inr(500)
        )
        fill_with_cash(filling, now=NOW)


def move(book: Any, user: User, number: int, minor: int) -> None:
    """Move cash of an account at the machine."""
    request = CashRequest(
        user=user.pk,
        key=str(uuid4()),
        channel=Channel.MACHINE,
        account=number,
        amount=inr(minor),
    )
    book(request, now=NOW)


def cash_at(node: str, branch: int) -> int:
    """Return what a branch's machine holds."""
    return balance_of(node, BankAccounts(branch, "INR").number(Place.MACHINE))


def test_cash_moves_at_the_accounts_own_branch(asha: User, mine: int) -> None:
    move(withdraw_cash, asha, mine, 400)
    move(deposit_cash, asha, mine, 100)
    assert balance_of(MUM, mine) == 700
    assert [cash_at("default", 100), cash_at(MUM, 201), cash_at(DEL, 202)] == [500, 200, 500]
    assert check_books(using=MUM).findings == []


def test_the_cash_of_another_branch_does_not_help(asha: User, mine: int) -> None:
    with pytest.raises(DomainError) as refused:
        move(withdraw_cash, asha, mine, 501)
    assert refused.value.code == "insufficient_cash"


def test_what_was_booked_in_a_day_moves_along_with_the_account(asha: User, mine: int) -> None:
    most = daily_at_machine("INR").minor
    move(withdraw_cash, asha, mine, 400)
    move(deposit_cash, asha, mine, most - 100)
    for code, left, booked in ((DEL, 100, 40), ("HO", 60, 20), (MUM, 40, 39), (DEL, 1, 1)):
        move_account(mine, code=code, client=BANK_CLIENT)
        with pytest.raises(Refused) as refused:
            move(deposit_cash, asha, mine, left + 1)
        assert refused.value.reason is Code.CASH_LIMIT_EXCEEDED
        move(deposit_cash, asha, mine, booked)
    assert balance_of(DEL, mine) == 1_000 - 400 + most


def test_a_branch_gives_cash_while_others_are_down(
    asha: User, mine: int, branches: Branches, server: TestServer
) -> None:
    with node_down(server, branches.delhi), node_down(server, branches.head_office):
        move(withdraw_cash, asha, mine, 400)
    assert balance_of(MUM, mine) == 600


def test_a_branch_that_is_down_is_named(
    asha: User, mine: int, branches: Branches, server: TestServer
) -> None:
    with node_down(server, branches.mumbai), pytest.raises(DomainError) as refused:
        move(withdraw_cash, asha, mine, 400)
    assert (refused.value.code, refused.value.http_status) == ("branch_unavailable", 503)
    assert balance_of(MUM, mine) == 1_000


def test_an_answer_that_is_lost_is_not_called_a_failure(asha: User, mine: int) -> None:
    connections[MUM].ensure_connection()
    with socket.socket(fileno=os.dup(connections[MUM].connection.fileno())) as wire:
        wire.shutdown(socket.SHUT_RDWR)
    with pytest.raises(DomainError) as refused:
        move(withdraw_cash, asha, mine, 400)
    assert refused.value.code == "outcome_unknown"
