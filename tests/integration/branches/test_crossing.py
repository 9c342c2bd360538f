"""Transfers between nodes: done, refused, and nothing in between."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connections

from accounts.numbers import account_number
from core.money import Money
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, order
from tests.faults._proxy import Proxy
from tests.servers import TestServer
from transactions.branches import commitment, recovery
from transactions.branches.clearing import clearing_account
from transactions.branches.commitment import Commitment
from transactions.branches.coordinator import rehearse_across, transfer_across
from transactions.branches.outcomes import OutcomeUnknown
from transactions.chart import Place, open_chart
from transactions.ledger.accounts import Opening, Purpose, Status, open_account, set_status
from transactions.ledger.codes import Code, Refused
from transactions.ledger.invariants import check_books
from transactions.ledger.posting import BANK_CLIENT, Kind, Order, Receipt, Transfer, post
from transactions.ledger.reads import balances, entries

NUMBERS = {MUM: 201, DEL: 202}


def account_at(node: str, serial: int, *, balance: int = 0, currency: str = "INR") -> int:
    """Open an account on a node, with money in it, and return its number."""
    number = account_number(branch=NUMBERS[node], serial=serial)
    opening = Opening(number=number, currency=currency, purpose=Purpose.CUSTOMER)
    open_account(opening, client=BANK_CLIENT, using=node)
    if balance:
        vault = open_chart(branch=NUMBERS[node], currency=currency, using=node).number(Place.VAULT)
        deposit = Transfer(vault, number, Money(balance, currency), Kind.DEPOSIT)
        post(deposit, order=order(), using=node)
    return number


def send(payer: int, payee: int, minor: int, *, asked: Order | None = None) -> Receipt:
    """Send rupees from Mumbai to Delhi."""
    transfer = Transfer(payer, payee, inr(minor), memo="rent")
    return transfer_across(transfer, order=asked or order(), source=MUM, destination=DEL)


def balance_of(node: str, number: int) -> int:
    """Return an account's balance."""
    (found,) = balances([number], using=node)
    return found.balance


def in_doubt(branches: Branches) -> list[str]:
    """Return the names of all prepared transactions of the bank's databases."""
    names = []
    for node in ("default", MUM, DEL):
        with psycopg.connect(branches.of(node).app) as connection:
            rows = connection.execute(
                "SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"
            ).fetchall()
        names += [gid for (gid,) in rows]
    return names


@pytest.fixture
def pair(branches: Branches) -> tuple[int, int]:
    """Return an account in Mumbai with ₹10 and an empty one in Delhi."""
    assert branches
    return account_at(MUM, 1, balance=1_000), account_at(DEL, 1)


class TestTransferAcross:
    """One transfer between two nodes."""

    def test_moves_the_money_once_and_leaves_nothing_in_doubt(
        self, pair: tuple[int, int], branches: Branches
    ) -> None:
        payer, payee = pair
        receipt = send(payer, payee, 400)
        assert (receipt.debit_after, receipt.replayed, receipt.settling) == (600, False, False)
        assert balance_of(MUM, payer) == 600
        assert balance_of(DEL, payee) == 400
        assert in_doubt(branches) == []
        owed = balance_of(MUM, clearing_account(MUM, other=DEL, currency="INR"))
        due = balance_of(DEL, clearing_account(DEL, other=MUM, currency="INR"))
        assert (owed, due) == (400, -400)
        assert [check_books(using=node).findings for node in (MUM, DEL)] == [[], []]

    def test_names_the_other_end_on_both_statements(self, pair: tuple[int, int]) -> None:
        payer, payee = pair
        send(payer, payee, 400)
        (sent, _deposit) = entries(payer, using=MUM)
        (received,) = entries(payee, using=DEL)
        assert (sent.counterparty, sent.change, sent.memo) == (payee, -400, "rent")
        assert (received.counterparty, received.change, received.memo) == (payer, 400, "rent")

    def test_answers_the_same_request_with_the_first_result(self, pair: tuple[int, int]) -> None:
        payer, payee = pair
        asked = order(key=str(uuid4()))
        first, again = (send(payer, payee, 400, asked=asked) for _time in range(2))
        assert again.replayed
        assert again.transfer_id == first.transfer_id
        assert balance_of(DEL, payee) == 400

    def test_says_with_each_answer_whether_the_payee_has_it(
        self, pair: tuple[int, int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = order(key=str(uuid4()))
        with monkeypatch.context() as lost:
            lost.setattr(Commitment, "settle", lambda _commitment: False)
            assert send(*pair, 400, asked=asked).settling
        again = send(*pair, 400, asked=asked)
        assert (again.replayed, again.settling) == (True, True)
        recovery.sweep(older_than=0)
        again = send(*pair, 400, asked=asked)
        assert (again.replayed, again.settling) == (True, False)

    def test_refuses_a_key_that_stands_for_another_request(self, pair: tuple[int, int]) -> None:
        payer, payee = pair
        asked = order(key=str(uuid4()))
        send(payer, payee, 400, asked=asked)
        with pytest.raises(Refused) as refused:
            send(payer, payee, 401, asked=asked)
        assert refused.value.reason is Code.KEY_REUSED
        assert balance_of(DEL, payee) == 400

    @pytest.mark.parametrize(
        ("minor", "reason"), [(1_001, Code.INSUFFICIENT_FUNDS), (0, Code.INVALID_AMOUNT)]
    )
    def test_refuses_what_the_source_refuses(
        self, pair: tuple[int, int], branches: Branches, minor: int, reason: Code
    ) -> None:
        payer, payee = pair
        with pytest.raises(Refused) as refused:
            send(payer, payee, minor)
        assert refused.value.reason is reason
        assert (balance_of(MUM, payer), balance_of(DEL, payee)) == (1_000, 0)
        assert in_doubt(branches) == []

    def test_refuses_what_the_destination_refuses(
        self, pair: tuple[int, int], branches: Branches
    ) -> None:
        payer, payee = pair
        set_status(payee, status=Status.FROZEN, client=0, reason="test", using=DEL)
        unknown = account_number(branch=NUMBERS[DEL], serial=77)
        yen = account_at(DEL, 2, currency="JPY")
        for credit, reason in (
            (payee, Code.CREDIT_ACCOUNT_FROZEN),
            (unknown, Code.UNKNOWN_CREDIT_ACCOUNT),
            (yen, Code.CURRENCIES_DIFFER),
        ):
            with pytest.raises(Refused) as refused:
                send(payer, credit, 400)
            assert refused.value.reason is reason
        assert balance_of(MUM, payer) == 1_000
        assert in_doubt(branches) == []

    def test_lets_no_more_out_than_there_is(
        self, pair: tuple[int, int], branches: Branches
    ) -> None:
        payer, payee = pair

        def race(_racer: int) -> bool:
            try:
                send(payer, payee, 400)
            except Refused as refused:
                return refused.reason is not Code.INSUFFICIENT_FUNDS
            finally:
                connections.close_all()
            return True

        with ThreadPoolExecutor(8) as racers:
            won = sum(racers.map(race, range(16)))
        assert won == 2
        assert (balance_of(MUM, payer), balance_of(DEL, payee)) == (200, 800)
        assert in_doubt(branches) == []
        assert [check_books(using=node).findings for node in (MUM, DEL)] == [[], []]

    def test_opposite_ones_do_not_stand_in_each_others_way(
        self, pair: tuple[int, int], branches: Branches
    ) -> None:
        mumbai, _ = pair
        delhi = account_at(DEL, 5, balance=1_000)

        def pay(turn: int) -> None:
            payer, payee, source, destination = (
                (mumbai, delhi, MUM, DEL) if turn % 2 else (delhi, mumbai, DEL, MUM)
            )
            transfer = Transfer(payer, payee, inr(1))
            transfer_across(transfer, order=order(), source=source, destination=destination)
            connections.close_all()

        with ThreadPoolExecutor(8) as payers:
            list(payers.map(pay, range(80)))
        assert (balance_of(MUM, mumbai), balance_of(DEL, delhi)) == (1_000, 1_000)
        assert in_doubt(branches) == []


class TestSilence:
    """The source falls silent while it is told to commit: nobody can know."""

    def test_is_no_refusal_and_the_same_request_tells(
        self,
        pair: tuple[int, int],
        branches: Branches,
        server: TestServer,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        payer, payee = pair
        for module in (commitment, recovery):
            monkeypatch.setattr(module, "ANSWER_SECONDS", 0.5)
        asked = order(key=str(uuid4()))
        with Proxy(server_port=server.cluster.port) as proxy:
            monkeypatch.setitem(connections[MUM].settings_dict, "PORT", proxy.port)
            with monkeypatch.context() as falling_silent:
                swallow = {"prepared": proxy.swallow}
                falling_silent.setattr(commitment, "on_step", lambda step: swallow.get(step, int)())
                with pytest.raises(OutcomeUnknown):
                    send(payer, payee, 400, asked=asked)
            proxy.heal()
            again = send(payer, payee, 400, asked=asked)
            recovery.sweep(older_than=0)
            assert again.replayed
            assert (balance_of(MUM, payer), balance_of(DEL, payee)) == (600, 400)
            connections[MUM].close()
        assert in_doubt(branches) == []


class TestRehearseAcross:
    """Looking what a transfer would do."""

    def test_writes_nothing(self, pair: tuple[int, int], branches: Branches) -> None:
        payer, payee = pair
        transfer = Transfer(payer, payee, inr(400))
        receipt = rehearse_across(transfer, order=order(), source=MUM, destination=DEL)
        assert receipt.debit_after == 600
        assert (balance_of(MUM, payer), balance_of(DEL, payee)) == (1_000, 0)
        assert in_doubt(branches) == []


class TestSweep:
    """Settling what a dead coordinator left."""

    def prepare(self, branches: Branches, pair: tuple[int, int], *, decided: bool) -> str:
        """Do what a coordinator does up to its death, and return the transaction's name."""
        payer, payee = pair
        send(payer, payee, 1)
        crossing = uuid4()
        gid = recovery.gid_of(MUM, DEL, crossing, 1)
        due = clearing_account(DEL, other=MUM, currency="INR")
        with psycopg.connect(branches.delhi.app, autocommit=True) as delhi:
            delhi.execute("BEGIN")
            delhi.execute(
                "SELECT ledger.receive_v1(%s, 1::smallint, 'MUM', %s, 0, %s, %s, 400, 'INR',"
                " 'transfer', 'api')",
                [crossing, due, payer, payee],
            )
            delhi.execute(f"PREPARE TRANSACTION '{gid}'")
        if decided:
            with psycopg.connect(branches.mumbai.app) as mumbai:
                self.decide(mumbai, gid, pair)
        return gid

    def decide(self, mumbai: psycopg.Connection[Any], gid: str, pair: tuple[int, int]) -> None:
        """Do the source's part of a crossing, with the decision, and leave it uncommitted."""
        crossing = gid.split(":")[4]
        owed = clearing_account(MUM, other=DEL, currency="INR")
        mumbai.execute(
            "SELECT ledger.send_v1(%s, 1::smallint, 'DEL', %s, 0, %s, %s, %s, 400, 'INR',"
            " 'transfer', 'api', '2026-03-02')",
            [crossing, owed, crossing, *pair],
        )

    @pytest.mark.parametrize(("decided", "moved"), [(True, 401), (False, 1)])
    def test_ends_it_as_it_was_decided(
        self, pair: tuple[int, int], branches: Branches, moved: int, *, decided: bool
    ) -> None:
        self.prepare(branches, pair, decided=decided)
        swept = recovery.sweep(older_than=0)
        assert (swept.committed, swept.rolled_back, swept.left) == (decided, not decided, ())
        assert in_doubt(branches) == []
        payer, payee = pair
        assert (balance_of(MUM, payer), balance_of(DEL, payee)) == (1_000 - moved, moved)

    def test_leaves_the_young_and_the_foreign_alone(
        self, pair: tuple[int, int], branches: Branches
    ) -> None:
        ours = self.prepare(branches, pair, decided=False)
        with psycopg.connect(branches.delhi.app, autocommit=True) as delhi:
            delhi.execute("BEGIN; SELECT 1; PREPARE TRANSACTION 'somebody-elses'")
            assert recovery.sweep(older_than=60) == recovery.Swept()
            assert sorted(in_doubt(branches)) == sorted([ours, "somebody-elses"])
            recovery.sweep(older_than=0)
            assert in_doubt(branches) == ["somebody-elses"]
            delhi.execute("ROLLBACK PREPARED 'somebody-elses'")

    def test_takes_a_complaint_for_no_decision(
        self, pair: tuple[int, int], branches: Branches, server: TestServer
    ) -> None:
        gid = self.prepare(branches, pair, decided=False)
        database = branches.mumbai.app.rpartition("/")[2]
        with psycopg.connect(server.superuser_url(database), autocommit=True) as superuser:
            superuser.execute("REVOKE SELECT ON ledger.decision FROM bank_app")
            assert recovery.settle_decided(node=DEL) == [gid]
            assert recovery.sweep(older_than=0).left == (gid,)
            assert in_doubt(branches) == [gid]
            superuser.execute("GRANT SELECT ON ledger.decision TO bank_app")
        assert recovery.settle_decided(node=DEL) == []
        assert in_doubt(branches) == [gid]
        assert recovery.sweep(older_than=0).rolled_back == 1

    def test_stops_a_coordinator_that_comes_back(
        self, pair: tuple[int, int], branches: Branches
    ) -> None:
        gid = self.prepare(branches, pair, decided=False)
        recovery.sweep(older_than=0)
        with (
            psycopg.connect(branches.mumbai.app) as mumbai,
            pytest.raises(psycopg.errors.UniqueViolation, match="decision_pkey"),
        ):
            self.decide(mumbai, gid, pair)
        assert balance_of(MUM, pair[0]) == 999

    def test_keeps_nothing_waiting_for_a_coordinator_that_is_still_at_it(
        self, pair: tuple[int, int], branches: Branches
    ) -> None:
        held = self.prepare(branches, pair, decided=False)
        others = account_at(MUM, 2, balance=1_000), account_at(DEL, 2)
        self.prepare(branches, others, decided=True)
        with psycopg.connect(branches.mumbai.app) as mumbai:
            self.decide(mumbai, held, pair)
            swept = recovery.sweep(older_than=0)
            mumbai.rollback()
        assert (swept.committed, swept.left) == (1, (held,))
        assert balance_of(DEL, others[1]) == 401
        assert recovery.sweep(older_than=0).rolled_back == 1

    def test_leaves_what_a_node_prepared_that_nobody_knows(
        self, pair: tuple[int, int], branches: Branches
    ) -> None:
        assert pair
        strange = recovery.gid_of("XYZ", DEL, uuid4(), 1)
        with psycopg.connect(branches.delhi.app, autocommit=True) as delhi:
            delhi.execute(f"BEGIN; SELECT 1; PREPARE TRANSACTION '{strange}'")
            assert recovery.settle_decided(node=DEL) == [strange]
            assert recovery.sweep(older_than=0).left == (strange,)
            delhi.execute(f"ROLLBACK PREPARED '{strange}'")

    def test_takes_what_is_gone_for_settled_only_if_the_money_is_there(
        self, pair: tuple[int, int], branches: Branches, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def lose(step: str) -> None:
            if step == "decided":
                with psycopg.connect(branches.delhi.app, autocommit=True) as delhi:
                    delhi.execute(f"ROLLBACK PREPARED '{in_doubt(branches)[0]}'")

        monkeypatch.setattr(commitment, "on_step", lose)
        assert send(*pair, 400).settling
