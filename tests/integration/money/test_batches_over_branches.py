"""A request of many transfers over several branches: each part once, whatever fails between."""

import os
import subprocess
import sys
import time
from uuid import uuid4

import pytest

from tests.branches import DEL, MUM, Branches
from tests.factories import inr
from tests.integration.branches.test_crossing import balance_of, in_doubt
from tests.integration.money.people import ASHA, findings, held_at, move, pay, send
from tests.outages import node_down
from tests.servers import TestServer
from transactions.batching import BatchResult
from transactions.branches import recovery, registry
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import node_of
from transactions.chains import LinkedAcrossBranches
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Transfer

# A process that sends the batch of `wages` and dies at the first step of its two-phase commit.
DYING = """
import os
import django
django.setup()
from tests.factories import inr
from tests.integration.money.people import send
from transactions.branches import commitment
from transactions.ledger.posting import Transfer
commitment.on_step = lambda step: os._exit(9) if step == {step!r} else None
send([Transfer(*pair, inr(minor)) for *pair, minor in {items!r}], key={key!r})
"""


class Bank:
    """Asha's accounts: with ₹100 in Mumbai, with ₹100 in Delhi, and empty ones at both."""

    def __init__(self) -> None:
        self.mumbai = held_at(MUM, 1, balance=10_000)
        self.delhi = held_at(DEL, 1, balance=10_000)
        self.mumbai_payee = held_at(MUM, 2)
        self.delhi_payee = held_at(DEL, 2)
        self.numbers = (self.mumbai, self.delhi, self.mumbai_payee, self.delhi_payee)

    def wages(self) -> list[Transfer]:
        """Return transfers of which two stay in Mumbai, two leave it, and one stays in Delhi."""
        return [
            Transfer(self.mumbai, self.mumbai_payee, inr(1)),
            Transfer(self.mumbai, self.delhi_payee, inr(10)),
            Transfer(self.delhi, self.delhi_payee, inr(100)),
            Transfer(self.mumbai, self.delhi_payee, inr(20)),
            Transfer(self.mumbai, self.mumbai_payee, inr(2)),
        ]

    def balances(self) -> list[int]:
        """Return what is in the accounts, wherever they live."""
        return [balance_of(node_of(number), number) for number in self.numbers]


PAID = [10_000 - 33, 10_000 - 100, 3, 130]


@pytest.fixture
def bank(branches: Branches) -> Bank:
    """Give a bank of three nodes."""
    assert branches
    return Bank()


def refusals(result: BatchResult) -> dict[int, str]:
    return {place: fault.code for place, fault in result.faults.items()}


class TestParts:
    def test_are_posted_and_told_in_the_order_of_the_request(
        self, bank: Bank, branches: Branches
    ) -> None:
        result = send(bank.wages(), key="march")
        assert (refusals(result), result.replayed, result.settling) == ({}, False, False)
        assert sorted(result.ids) == [0, 1, 2, 3, 4]
        assert bank.balances() == PAID
        again = send(bank.wages(), key="march")
        assert again.replayed
        assert again.ids == result.ids
        assert bank.balances() == PAID
        assert in_doubt(branches) == []
        assert findings() == []

    def test_that_are_missing_are_posted_by_sending_the_request_again(
        self, bank: Bank, branches: Branches, server: TestServer
    ) -> None:
        with node_down(server, branches.delhi):
            first = send(bank.wages(), key="march")
        assert sorted(first.ids) == [0, 4]
        assert first.unanswered == [1, 3, 2]
        assert {refusals(first)[place] for place in (1, 2, 3)} == {"branch_unavailable"}
        second = send(bank.wages(), key="march")
        assert not second.replayed
        assert first.ids.items() <= second.ids.items()
        assert (refusals(second), bank.balances()) == ({}, PAID)
        assert findings() == []

    def test_are_refused_as_a_whole_when_no_branch_answers(
        self, bank: Bank, branches: Branches, server: TestServer
    ) -> None:
        with (
            node_down(server, branches.delhi),
            pytest.raises(BranchDown),
        ):
            send([bank.wages()[1], bank.wages()[2]], key="march")

    def test_are_answered_by_their_source_while_the_other_branch_is_down(
        self, bank: Bank, branches: Branches, server: TestServer
    ) -> None:
        abroad = [bank.wages()[1], bank.wages()[3]]
        first = send(abroad, key="march")
        with node_down(server, branches.delhi):
            again = send(abroad, key="march")
            with pytest.raises(Refused) as refused:
                send(abroad[:1], key="march")
        assert again.replayed
        assert again.ids == first.ids
        assert refused.value.reason is Code.KEY_REUSED

    @pytest.mark.parametrize("step", ["prepared", "decided"])
    def test_are_completed_after_the_sender_was_killed(
        self, bank: Bank, branches: Branches, step: str
    ) -> None:
        items = [(one.debit, one.credit, one.amount.minor) for one in bank.wages()]
        died = subprocess.run(
            [sys.executable, "-c", DYING.format(step=step, items=items, key="march")],
            env={**os.environ, "DATABASE_URL": branches.head_office.app},
            check=False,
        )
        assert died.returncode == 9
        deadline = time.monotonic() + 30
        while recovery.sweep(older_than=0).left:
            assert time.monotonic() < deadline
        assert bank.balances() != PAID
        result = send(bank.wages(), key="march")
        assert refusals(result) == {}
        assert bank.balances() == PAID
        assert in_doubt(branches) == []
        assert findings() == []


class TestLinkedTransfers:
    def test_of_several_ways_are_refused_with_the_request(self, bank: Bank) -> None:
        linked = [
            Transfer(bank.mumbai, bank.mumbai_payee, inr(1), linked=True),
            Transfer(bank.mumbai, bank.delhi_payee, inr(2)),
        ]
        with pytest.raises(LinkedAcrossBranches) as refused:
            send([*bank.wages(), *linked], key="march")
        assert refused.value.field == "transfers/6"
        assert bank.balances() == [10_000, 10_000, 0, 0]

    def test_of_one_way_stand_or_fall_together(self, bank: Bank) -> None:
        linked = [
            Transfer(bank.mumbai, bank.delhi_payee, inr(1), linked=True),
            Transfer(bank.mumbai, bank.delhi_payee, inr(20_000)),
        ]
        result = send([*linked, bank.wages()[2]], key="march")
        assert refusals(result) == {0: "linked_item_refused", 1: "insufficient_funds"}
        assert bank.balances() == [10_000, 9_900, 0, 100]


class TestKey:
    def test_stands_for_one_request(self, bank: Bank) -> None:
        wages = bank.wages()
        send(wages, key="march")
        others = [
            wages[:1],
            wages[1:2],
            [*wages[:4], Transfer(bank.mumbai, bank.mumbai_payee, inr(3))],
            [*wages, Transfer(bank.delhi, bank.mumbai_payee, inr(3))][::-1],
        ]
        for other in others:
            with pytest.raises(Refused) as refused:
                send(other, key="march")
            assert refused.value.reason is Code.KEY_REUSED
        assert bank.balances() == PAID

    def test_of_a_transfer_is_none_for_a_batch(self, bank: Bank) -> None:
        pay(bank.mumbai, bank.mumbai_payee, 1, key="march")
        with pytest.raises(Refused) as refused:
            send(bank.wages(), key="march")
        assert refused.value.reason is Code.KEY_REUSED
        assert bank.balances() == [9_999, 10_000, 1, 0]


class TestAccountsThatMoved:
    def test_pay_and_are_paid_where_they_live(self, bank: Bank) -> None:
        move(bank.mumbai, DEL)
        move(bank.delhi_payee, MUM)
        result = send(bank.wages(), key="march")
        assert refusals(result) == {}
        assert bank.balances() == PAID
        again = send(bank.wages(), key="march")
        assert again.replayed
        assert again.ids == result.ids
        assert bank.balances() == PAID
        assert findings() == []

    @pytest.mark.parametrize("moved", ["mumbai", "delhi_payee"])
    def test_between_two_tries_pay_once(
        self, bank: Bank, branches: Branches, server: TestServer, moved: str
    ) -> None:
        with node_down(server, branches.delhi):
            first = send(bank.wages(), key="march")
        assert first.unanswered
        move(getattr(bank, moved), DEL if moved == "mumbai" else MUM)
        second = send(bank.wages(), key="march")
        assert (refusals(second), bank.balances()) == ({}, PAID)
        assert send(bank.wages(), key="march").ids == second.ids
        assert bank.balances() == PAID
        assert findings() == []

    def test_stay_linked(self, bank: Bank) -> None:
        move(bank.mumbai, DEL)
        linked = [
            Transfer(bank.mumbai, bank.mumbai_payee, inr(5), linked=True),
            Transfer(bank.mumbai, bank.mumbai_payee, inr(6)),
            Transfer(bank.mumbai, bank.mumbai_payee, inr(7), linked=True),
            Transfer(bank.mumbai, bank.mumbai_payee, inr(20_000)),
        ]
        result = send(linked, key="march")
        assert sorted(result.ids) == [0, 1]
        assert refusals(result) == {2: "linked_item_refused", 3: "insufficient_funds"}
        assert bank.balances() == [9_989, 10_000, 11, 0]
        assert send(linked, key="march").ids == result.ids

    def test_refuse_what_is_not_ones_own(self, bank: Bank) -> None:
        move(bank.mumbai, DEL)
        strange = held_at(MUM, 9, balance=100)
        assert ASHA
        result = send([Transfer(strange, bank.mumbai, inr(101))], key=str(uuid4()))
        assert refusals(result) == {0: "insufficient_funds"}

    @pytest.mark.parametrize("payee", ["mumbai_payee", "delhi_payee"])
    def test_that_were_refused_stay_refused_wherever_they_go(self, bank: Bank, payee: str) -> None:
        move(bank.mumbai, DEL)
        way = (bank.mumbai, getattr(bank, payee))
        items = [
            Transfer(*way, inr(10_001)),
            Transfer(*way, inr(1), linked=True),
            Transfer(*way, inr(10_000)),
        ]
        first = send(items, key="march")
        assert list(refusals(first).values()) == [
            "insufficient_funds",
            "linked_item_refused",
            "insufficient_funds",
        ]
        pay(bank.delhi, bank.mumbai, 9_000)
        for code in ("HO", MUM, DEL):
            move(bank.mumbai, code)
            again = send(items, key="march")
            assert (refusals(again), again.replayed) == (refusals(first), True)
        assert bank.balances()[0] == 19_000
        assert findings() == []

    def test_answer_a_chain_that_was_made_wherever_they_go(self, bank: Bank) -> None:
        move(bank.mumbai, DEL)
        chain = [
            Transfer(bank.mumbai, bank.mumbai_payee, inr(5), linked=True),
            Transfer(bank.mumbai, bank.mumbai_payee, inr(6)),
        ]
        first = send(chain, key="march")
        for number, code in ((bank.mumbai_payee, DEL), (bank.mumbai, "HO"), (bank.mumbai, MUM)):
            move(number, code)
            again = send(chain, key="march")
            assert (again.ids, again.replayed, again.settling) == (first.ids, True, False)
        assert bank.balances() == [9_989, 10_000, 11, 0]

    def test_refuse_a_chain_for_good_when_they_live_apart(self, bank: Bank) -> None:
        other = held_at(MUM, 3)
        move(other, DEL)
        chain = [
            Transfer(bank.mumbai, bank.mumbai_payee, inr(5), linked=True),
            Transfer(bank.mumbai, other, inr(6)),
        ]
        for payer in ("HO", DEL, MUM):
            assert set(refusals(send(chain, key="march")).values()) == {"linked_across_branches"}
            move(bank.mumbai, payer)
        move(other, MUM)
        assert set(refusals(send(chain, key="march")).values()) == {"linked_across_branches"}
        assert bank.balances()[0] == 10_000

    def test_keep_no_answer_where_they_were_missed(
        self, bank: Bank, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody is told of the last move: the chain comes to where the account is no more."""
        move(bank.mumbai, DEL)
        registry.refresh()
        monkeypatch.setattr("transactions.branches.moving._tell_others", lambda _moved: None)
        monkeypatch.setattr("transactions.branches.moving.follow", lambda _number: None)
        move(bank.mumbai, "HO")
        monkeypatch.undo()
        assert node_of(bank.mumbai) == DEL
        result = send([Transfer(bank.mumbai, bank.mumbai_payee, inr(5))], key="march")
        assert refusals(result) == {}
        move(bank.mumbai, DEL)
        assert send([Transfer(bank.mumbai, bank.mumbai_payee, inr(5))], key="march").replayed
        assert bank.balances()[2] == 5
