"""An account that moves: its nodes tell of it in streams of their own, in whatever order."""

from random import Random

import psycopg
import pytest

from bankproject.runtime.postgres import BankUrls
from tests.branches import DEL, MUM, Branches
from tests.integration.replica.bank import customer, on_replica, paused
from tests.integration.replica.conftest import eventually
from tests.servers import TestServer
from transactions.ledger import reads

MOVE_AWAY = """
UPDATE ledger.account SET status = 'moved', balance = 0, last_tick = last_tick + 1
WHERE number = %(number)s
"""
MOVE_IN = """
INSERT INTO ledger.account
(number, balance, floor, overdraft_limit, last_tick, side, running, currency, purpose)
VALUES (%(number)s, %(balance)s, 0, 0, %(tick)s, 1, true, 'INR', 'customer')
ON CONFLICT (number) DO UPDATE
SET status = 'open', balance = excluded.balance, last_tick = excluded.last_tick
"""
DROP_HOLDER = "DELETE FROM ledger.holder WHERE account = %(number)s"
ADD_HOLDER = "INSERT INTO ledger.holder (account, user_id, rights) VALUES (%(number)s, 7, 'owner')"
SPEND = """
UPDATE ledger.account SET balance = balance - 1, last_tick = last_tick + 1 WHERE number = %(number)s
"""


@pytest.fixture
def superuser_url(replicated: BankUrls, server: TestServer) -> str:
    return server.superuser_url(replicated.owner.rpartition("/")[2])


class Traveller:
    """An account that is moved and spent from by hand, as its nodes' owners."""

    def __init__(self, branches: Branches) -> None:
        self.number = customer(MUM)
        self.node = MUM
        self.balance = 10_000
        self._branches = branches

    def move(self) -> None:
        old, self.node = self.node, DEL if self.node == MUM else MUM
        with psycopg.connect(self._branches.of(old).owner) as here:
            here.execute(MOVE_AWAY, {"number": self.number})
            here.execute(DROP_HOLDER, {"number": self.number})
            query = "SELECT last_tick FROM ledger.account WHERE number = %s"
            (tick,) = here.execute(query, [self.number]).fetchone() or (0,)
        with psycopg.connect(self._branches.of(self.node).owner) as there:
            known = {"number": self.number, "balance": self.balance, "tick": tick + 1}
            there.execute(MOVE_IN, known)
            there.execute(ADD_HOLDER, known)

    def spend(self) -> None:
        self.balance -= 1
        with psycopg.connect(self._branches.of(self.node).owner) as here:
            here.execute(SPEND, {"number": self.number})


def heard(traveller: Traveller) -> list[tuple[object, ...]]:
    return on_replica(
        "SELECT a.node, a.status, a.balance, h.node FROM ledger.account AS a "
        "JOIN ledger.holder AS h ON h.account = a.number WHERE a.number = %s",
        traveller.number,
    )


def expected(traveller: Traveller) -> list[tuple[object, ...]]:
    return [(traveller.node, "open", traveller.balance, traveller.node)]


class TestMovedAccount:
    def test_is_there_all_the_time_whoever_is_heard_first(
        self, branches: Branches, superuser_url: str
    ) -> None:
        traveller = Traveller(branches)
        assert eventually(lambda: heard(traveller) == expected(traveller))
        for last in (DEL, MUM, DEL, MUM):
            with paused(superuser_url, last):
                traveller.move()
                traveller.spend()
                eventually(lambda: heard(traveller) == expected(traveller), seconds=1)
                shown = reads.balances_of(7, using="replica")
                assert [account.status for account in shown] == ["open"]
            assert eventually(lambda: heard(traveller) == expected(traveller)), heard(traveller)

    @pytest.mark.parametrize("seed", range(4))
    def test_is_as_its_last_node_says_however_often_it_moved(
        self, seed: int, branches: Branches, superuser_url: str
    ) -> None:
        chance = Random(seed)
        traveller = Traveller(branches)
        for _ in range(3):
            with paused(superuser_url, *chance.sample([MUM, DEL], chance.randint(0, 2))):
                for _ in range(6):
                    traveller.move() if chance.random() < 0.6 else traveller.spend()
            assert eventually(lambda: heard(traveller) == expected(traveller)), heard(traveller)
