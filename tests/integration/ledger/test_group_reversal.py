"""A group is reversed whole: every leg, the last one first, linked both ways, and once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest

from tests.expectations import refusing
from tests.factories import account, inr, order
from transactions.ledger.codes import Code
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import Transfer, post, post_batch, reverse
from transactions.ledger.reads import PostedTransfer, balances, entries, transfer

LEGS = 3


@dataclass(frozen=True)
class Group:
    """Three linked legs, through one account that keeps nothing, and one transfer beside them."""

    payer: int
    through: int
    payee: int
    legs: Sequence[UUID]
    alone: UUID

    @property
    def balances(self) -> list[int]:
        """Return the balances of payer, through and payee."""
        return [balances([number])[0].balance for number in (self.payer, self.through, self.payee)]


@pytest.fixture
def group(db: None) -> Group:  # noqa: ARG001  # it posts
    """Post 60 and 30 to an account that passes 90 on, and 5 beside them."""
    payer, through, payee = account(balance=100), account(), account()
    receipt = post_batch(
        [
            Transfer(payer, through, inr(60), linked=True),
            Transfer(payer, through, inr(30), linked=True),
            Transfer(through, payee, inr(90)),
            Transfer(payer, payee, inr(5)),
        ],
        order=order(),
    )
    assert receipt.refusals == {}
    *legs, alone = (receipt.transfer_id(item) for item in range(LEGS + 1))
    return Group(payer, through, payee, legs, alone)


def posted(transfer_id: UUID | None) -> PostedTransfer:
    assert transfer_id is not None
    found = transfer(transfer_id)
    assert found is not None
    return found


@pytest.mark.parametrize("leg", range(LEGS))
def test_every_leg_is_reversed_the_last_one_first_by_any_of_them(group: Group, leg: int) -> None:
    assert group.balances == [5, 0, 95]
    first = reverse(group.legs[leg], order=order())
    assert group.balances == [95, 0, 5]
    originals = [posted(leg_id) for leg_id in reversed(group.legs)]
    reversals = [posted(original.reversed_by) for original in originals]
    ids = [reversal.transfer_id for reversal in reversals]
    assert ids == sorted(set(ids))
    assert ids[0] == first
    for original, reversal in zip(originals, reversals, strict=True):
        assert (reversal.debit, reversal.credit) == (original.credit, original.debit)
        assert (reversal.amount, reversal.kind) == (original.amount, "reversal")
        assert (reversal.reverses, reversal.group_id) == (original.transfer_id, first)
    through = [entry.change for entry in reversed(entries(group.through))]
    assert through == [60, 30, -90, 90, -30, -60]
    assert posted(group.alone).reversed_by is None


@pytest.mark.parametrize("again", range(LEGS))
def test_no_leg_reverses_the_group_again(group: Group, again: int) -> None:
    asked = order(client=7, key="undo")
    first = reverse(group.legs[0], order=asked)
    with refusing(Code.ALREADY_REVERSED):
        reverse(group.legs[again], order=order())
    reversing = posted(group.legs[again]).reversed_by
    assert reversing is not None
    with refusing(Code.NOT_REVERSIBLE):
        reverse(reversing, order=order())
    assert reverse(group.legs[0], order=asked) == first
    assert group.balances == [95, 0, 5]


def test_a_leg_that_cannot_be_reversed_leaves_the_group_as_it_was(group: Group) -> None:
    post(Transfer(group.payee, group.payer, inr(6)), order=order())
    with refusing(Code.INSUFFICIENT_FUNDS):
        reverse(group.legs[0], order=order())
    assert [posted(leg_id).reversed_by for leg_id in group.legs] == [None] * LEGS
    post(Transfer(group.payer, group.payee, inr(6)), order=order())
    reverse(group.legs[0], order=order())
    assert group.balances == [95, 0, 5]


@pytest.mark.usefixtures("fresh_bank")
def test_a_group_in_the_middle_of_a_batch_is_reversed_alone() -> None:
    payer, payee = account(balance=100), account()
    wishes = [Transfer(payer, payee, inr(1), linked=item % 2 == 0) for item in range(6)]
    receipt = post_batch(wishes, order=order())
    reverse(receipt.transfer_id(3), order=order())
    undone = [posted(receipt.transfer_id(item)).reversed_by is not None for item in range(6)]
    assert undone == [False, False, True, True, False, False]
    assert check_books().findings == []
