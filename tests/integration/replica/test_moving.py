"""The replica follows accounts that the bank moves."""

from functools import partial

import pytest

from tests.branches import DEL, MUM
from tests.factories import inr, order
from tests.integration.replica.bank import customer, on_replica
from tests.integration.replica.conftest import eventually
from transactions.branches.books import NOT_OF_A_COPY
from transactions.branches.moving import move_account
from transactions.ledger import reads
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import Transfer, post

SHOWN = "SELECT node, status, balance FROM ledger.account WHERE number = %s"


def is_shown(number: int, node: str, balance: int) -> bool:
    return on_replica(SHOWN, number) == [(node, "open", balance)]


@pytest.mark.usefixtures("replicated")
def test_shows_it_once_with_one_history_where_it_lives() -> None:
    traveller = customer(MUM)
    nearby = {MUM: customer(MUM, serial=2), DEL: customer(DEL, serial=2)}
    for turn, code in enumerate((DEL, MUM, DEL), start=1):
        move_account(traveller, code=code, client=0)
        post(Transfer(traveller, nearby[code], inr(1_000)), order=order(), using=code)
        assert eventually(partial(is_shown, traveller, code, 10_000 - 1_000 * turn))
    assert eventually(lambda: len(reads.entries(traveller, using="replica")) == 4)
    entries = reads.entries(traveller, using="replica")
    assert [entry.balance_after for entry in entries] == [7_000, 8_000, 9_000, 10_000]
    holders = "SELECT node, user_id FROM ledger.holder WHERE account = %s"
    assert on_replica(holders, traveller) == [(DEL, 7)]
    found = [f for f in check_books(using="replica").findings if f.check not in NOT_OF_A_COPY]
    assert found == []
