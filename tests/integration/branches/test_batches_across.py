"""Batches between nodes: each item with its own result, all under one commit."""

from uuid import uuid4

import pytest

from accounts.numbers import account_number
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, order
from tests.integration.branches.test_crossing import (
    NUMBERS,
    account_at,
    balance_of,
    in_doubt,
)
from transactions.branches.batches import post_batch_across
from transactions.branches.commitment import Commitment
from transactions.branches.recovery import sweep
from transactions.ledger.accounts import Status, set_status
from transactions.ledger.codes import Code, Refused
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import BatchReceipt, Order, Transfer


def send(transfers: list[Transfer], *, asked: Order | None = None) -> BatchReceipt:
    """Send a batch from Mumbai to Delhi."""
    return post_batch_across(transfers, order=asked or order(), source=MUM, destination=DEL)


def books(*nodes: str) -> list[object]:
    """Return what is wrong with the books of nodes."""
    return [finding for node in nodes for finding in check_books(using=node).findings]


@pytest.fixture
def accounts(branches: Branches) -> tuple[int, int, int, int]:
    """Return two accounts in Mumbai with ₹10 each, and two empty ones in Delhi."""
    assert branches
    return (
        account_at(MUM, 1, balance=1_000),
        account_at(MUM, 2, balance=1_000),
        account_at(DEL, 1),
        account_at(DEL, 2),
    )


def test_moves_every_item(accounts: tuple[int, int, int, int], branches: Branches) -> None:
    one, two, three, four = accounts
    batch = [Transfer(one, three, inr(10)), Transfer(two, four, inr(20))] * 20
    receipt = send(batch)
    assert (dict(receipt.refusals), receipt.replayed, receipt.settling) == ({}, False, False)
    assert [balance_of(MUM, number) for number in (one, two)] == [800, 600]
    assert [balance_of(DEL, number) for number in (three, four)] == [200, 400]
    assert in_doubt(branches) == []
    assert books(MUM, DEL) == []


def test_says_with_each_answer_whether_the_payees_have_it(
    accounts: tuple[int, int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _two, three, _four = accounts
    asked = order(key=str(uuid4()))
    with monkeypatch.context() as lost:
        lost.setattr(Commitment, "settle", lambda _commitment: False)
        assert send([Transfer(one, three, inr(10))], asked=asked).settling
    assert send([Transfer(one, three, inr(10))], asked=asked).settling
    sweep(older_than=0)
    again = send([Transfer(one, three, inr(10))], asked=asked)
    assert (again.replayed, again.settling) == (True, False)


def test_refuses_items_of_either_side_and_moves_the_rest(
    accounts: tuple[int, int, int, int], branches: Branches
) -> None:
    one, two, three, four = accounts
    set_status(four, status=Status.FROZEN, client=0, reason="test", using=DEL)
    unknown = account_number(branch=NUMBERS[DEL], serial=77)
    batch = [
        Transfer(one, three, inr(900)),
        # Frozen there: the money stays, and is enough for the next.
        Transfer(two, four, inr(900)),
        Transfer(two, three, inr(900)),
        Transfer(one, three, inr(200)),
        Transfer(one, unknown, inr(1)),
    ]
    asked = order(key=str(uuid4()))
    receipt = send(batch, asked=asked)
    assert dict(receipt.refusals) == {
        1: Code.CREDIT_ACCOUNT_FROZEN,
        3: Code.INSUFFICIENT_FUNDS,
        4: Code.UNKNOWN_CREDIT_ACCOUNT,
    }
    assert [balance_of(MUM, number) for number in (one, two)] == [100, 100]
    assert balance_of(DEL, three) == 1_800
    again = send(batch, asked=asked)
    assert again.replayed
    assert (again.first_id, dict(again.refusals)) == (receipt.first_id, dict(receipt.refusals))
    assert balance_of(DEL, three) == 1_800
    assert in_doubt(branches) == []
    assert books(MUM, DEL) == []


def test_linked_items_stand_or_fall_together_over_both_nodes(
    accounts: tuple[int, int, int, int],
) -> None:
    one, two, three, four = accounts
    set_status(four, status=Status.FROZEN, client=0, reason="test", using=DEL)
    batch = [
        Transfer(one, three, inr(10), linked=True),
        Transfer(two, four, inr(10)),
        Transfer(two, three, inr(10)),
    ]
    receipt = send(batch)
    assert dict(receipt.refusals) == {
        0: Code.LINKED_ITEM_REFUSED,
        1: Code.CREDIT_ACCOUNT_FROZEN,
    }
    assert balance_of(DEL, three) == 10
    assert books(MUM, DEL) == []


def test_remembers_a_batch_of_which_nothing_is_left(
    accounts: tuple[int, int, int, int], branches: Branches
) -> None:
    one, _, three, _ = accounts
    asked = order(key=str(uuid4()))
    batch = [Transfer(one, three, inr(5_000))]
    first, again = (send(batch, asked=asked) for _time in range(2))
    assert dict(first.refusals) == dict(again.refusals) == {0: Code.INSUFFICIENT_FUNDS}
    assert again.replayed
    assert in_doubt(branches) == []


def test_refuses_an_empty_one(accounts: tuple[int, int, int, int]) -> None:
    assert accounts
    with pytest.raises(Refused) as refused:
        send([])
    assert refused.value.reason is Code.BATCH_EMPTY
