"""Posting one transfer: what moves, what is refused, and what a retry gets."""

import pytest

from tests.expectations import refusing
from tests.factories import account, inr, order
from transactions.ledger.codes import Code
from transactions.ledger.posting import Transfer, post
from transactions.ledger.reads import balances, transfer

pytestmark = pytest.mark.django_db


def balance(number: int) -> int:
    return balances([number])[0].balance


def test_moves_money_and_answers_with_both_balances() -> None:
    payer, payee = account(balance=10_000), account()
    receipt = post(Transfer(payer, payee, inr(2_500), memo="rent"), order=order())
    assert (receipt.debit_after, receipt.credit_after) == (7_500, 2_500)
    assert (balance(payer), balance(payee)) == (7_500, 2_500)
    posted = transfer(receipt.transfer_id)
    assert posted is not None
    assert (posted.debit, posted.credit, posted.amount, posted.memo) == (
        payer,
        payee,
        2_500,
        "rent",
    )


def test_the_same_key_and_body_posts_once() -> None:
    payer, payee = account(balance=10_000), account()
    asked = order(client=7, key="rent-march")
    first = post(Transfer(payer, payee, inr(2_500)), order=asked)
    again = post(Transfer(payer, payee, inr(2_500)), order=asked)
    assert again.replayed
    assert not first.replayed
    assert (again.transfer_id, again.debit_after) == (first.transfer_id, first.debit_after)
    assert balance(payer) == 7_500


@pytest.mark.parametrize(("amount", "memo"), [(2_501, None), (2_500, "x")], ids=["amount", "memo"])
def test_the_same_key_with_another_body_is_refused(amount: int, memo: str | None) -> None:
    payer, payee = account(balance=10_000), account()
    post(Transfer(payer, payee, inr(2_500)), order=order(client=7, key="rent-march"))
    with refusing(Code.KEY_REUSED):
        post(
            Transfer(payer, payee, inr(amount), memo=memo), order=order(client=7, key="rent-march")
        )
