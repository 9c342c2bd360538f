"""`manage.py position`: exact totals while money moves between nodes."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import StringIO
from random import Random
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from bankproject.backup.repository import bytes_of
from core import clock
from core.db.errors import Busy
from tests.branches import DEL, MUM, Branches
from tests.factories import inr
from tests.integration.replica.bank import NODES, customer
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches import commitment
from transactions.branches.marks import set_mark
from transactions.branches.position import PositionNotTaken, take_position
from transactions.services import Channel, TransferRequest, transfer_funds

EACH = 10_000


@pytest.fixture
def accounts(branches: Branches) -> list[int]:  # noqa: ARG001  # where they live
    return [customer(node) for node in NODES]


def pay(debit: int, credit: int, minor: int = 1) -> None:
    request = TransferRequest(
        user=7,
        key=str(uuid4()),
        channel=Channel.API,
        debit=debit,
        credit=credit,
        amount=inr(minor),
    )
    transfer_funds(request, now=clock.now())


@contextmanager
def money_moving(accounts: list[int]) -> Iterator[list[int]]:
    """Move money between the nodes, four at a time; yield what was moved so far."""
    over = threading.Event()
    moved: list[int] = []

    def move(seed: int) -> None:
        chance = Random(seed)
        while not over.is_set():
            try:
                pay(*chance.sample(accounts, 2))
                moved.append(1)
            except Busy:
                pass
        connections.close_all()

    movers = [threading.Thread(target=move, args=(seed,)) for seed in range(4)]
    for mover in movers:
        mover.start()
    try:
        yield moved
    finally:
        over.set()
        for mover in movers:
            mover.join()


class TestPosition:
    def test_is_exact_while_money_moves(self, accounts: list[int]) -> None:
        with money_moving(accounts) as moved:
            for number in range(12):
                position = take_position(now=clock.now())
                assert position.is_sound, position
                assert position.customers == {"INR": 3 * EACH}, number
                assert position.in_transit == {"INR": 0}
        assert len(moved) > 50

    def test_settles_what_is_decided_and_holds_nobody_up(
        self, accounts: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def die(step: str) -> None:
            if step == "decided":
                message = "killed"
                raise KeyboardInterrupt(message)

        monkeypatch.setattr(commitment, "on_step", die)
        with pytest.raises(KeyboardInterrupt):
            pay(accounts[1], accounts[2], 700)
        position = take_position(now=clock.now())
        assert (position.in_transit, position.customers) == ({"INR": 0}, {"INR": 3 * EACH})
        monkeypatch.undo()
        pay(accounts[1], accounts[2])

    def test_is_refused_while_a_transfer_is_being_decided(
        self, accounts: list[int], branches: Branches
    ) -> None:
        with psycopg.connect(branches.mumbai.app) as source:
            source.execute("SELECT pg_advisory_xact_lock_shared(7103, 3)")
            with pytest.raises(PositionNotTaken):
                take_position(now=clock.now())
        pay(accounts[1], accounts[2])

    def test_names_the_branch_that_is_down(
        self, accounts: list[int], branches: Branches, server: TestServer
    ) -> None:
        assert accounts
        with node_down(server, branches.delhi), pytest.raises(CommandError, match="branch DEL"):
            call_command("position")


@contextmanager
def lines_of_backup(branches: Branches) -> Iterator[dict[str, psycopg.Connection]]:
    """Connect to every node as bank_backup."""
    with ExitStack() as stack:
        yield {
            node: stack.enter_context(psycopg.connect(branches.of(node).backup, autocommit=True))
            for node in NODES
        }


class TestMark:
    def test_is_on_no_side_of_a_transfer_that_is_prepared_and_not_decided(
        self, accounts: list[int], branches: Branches, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[str] = []

        def mark_meanwhile(step: str) -> None:
            if step == "prepared":
                with lines_of_backup(branches) as lines, pytest.raises(PositionNotTaken):
                    set_mark(lines, clock=clock.now)
                tried.append(step)

        monkeypatch.setattr(commitment, "on_step", mark_meanwhile)
        pay(accounts[1], accounts[2])
        assert tried == ["prepared"]

    def test_is_on_all_nodes_and_lets_transfers_go_on(
        self, accounts: list[int], branches: Branches
    ) -> None:
        with lines_of_backup(branches) as lines:
            first = set_mark(lines, clock=clock.now)
            pay(accounts[1], accounts[2])
            second = set_mark(lines, clock=clock.now)
        assert first.places.keys() == second.places.keys() == {*NODES}
        assert first.name < second.name
        assert first.began <= first.ended < second.began
        for node, place in first.places.items():
            assert bytes_of(place.lsn) < bytes_of(second.places[node].lsn)


class TestCommand:
    def test_prints_every_node_and_the_total(self, accounts: list[int]) -> None:
        pay(accounts[1], accounts[2], 2_500)
        said = StringIO()
        call_command("position", json=True, stdout=said)
        answer = json.loads(said.getvalue())
        assert answer["is_sound"]
        assert answer["customers"] == {"INR": 3 * EACH}
        held = {s["node"]: s["balance"] for s in answer["sums"] if s["purpose"] == "customer"}
        assert held == {"default": EACH, MUM: EACH - 2_500, DEL: EACH + 2_500}

    def test_prints_a_table_for_people(self, accounts: list[int]) -> None:
        assert accounts
        said = StringIO()
        call_command("position", stdout=said)
        assert "300.00 INR" in said.getvalue()
        assert "in transit" in said.getvalue()
