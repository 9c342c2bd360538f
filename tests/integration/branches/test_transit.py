"""Money between nodes now: under way it is nobody's fault, stranded it alarms."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import pytest
from django.db import connections
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from bankproject.doctor import copies
from core.db.errors import Busy
from tests.branches import DEL, MUM, Branches
from tests.factories import inr, order
from tests.integration.replica.bank import NODES, customer
from tests.integration.replica.test_position import pay
from tests.outages import node_down
from tests.servers import TestServer
from transactions.branches import commitment
from transactions.branches.alarms import Alarm, alarms, sound_alarms
from transactions.branches.clearing import clearing_account
from transactions.branches.transit import Transit, money_in_transit
from transactions.ledger.posting import Transfer, post

PAIR = (DEL, MUM)


@pytest.fixture
def accounts(branches: Branches) -> list[int]:  # noqa: ARG001  # where they live
    found = [customer(node, balance=1_000_000) for node in NODES]
    pay(found[1], found[2], 700)
    return found


def strand(account: int) -> None:
    """Let Mumbai owe Delhi 30 paise that Delhi knows nothing of."""
    post(Transfer(account, owed(), inr(30)), order=order(), using=MUM)


def take_back(account: int) -> None:
    """Undo what ``strand`` did."""
    post(Transfer(owed(), account, inr(30)), order=order(), using=MUM)


def owed() -> int:
    """Return Mumbai's clearing account with Delhi."""
    return clearing_account(MUM, other=DEL, currency="INR")


def told() -> dict[str, float]:
    """Return what Prometheus is told of money between nodes now, by state."""
    answer = Client().get("/internal/metrics", headers={"Authorization": "Bearer for Prometheus"})
    return {
        sample.labels["state"]: sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
        if sample.name == "bank_in_transit_now_minor_units"
    }


class TestTransit:
    @pytest.mark.usefixtures("accounts")
    def test_is_nothing_between_nodes_at_rest(self) -> None:
        assert money_in_transit() == [
            Transit(pair=PAIR, currency="INR", minor=0, is_under_way=False)
        ]
        assert alarms() == []

    def test_is_under_way_while_a_transfer_is_decided_and_not_settled(
        self, accounts: list[int], monkeypatch: pytest.MonkeyPatch, settings: Settings
    ) -> None:
        settings.METRICS_TOKEN = "for Prometheus"
        seen: list[object] = []

        def look(step: str) -> None:
            if step == "decided":
                seen.extend([*money_in_transit(), alarms(), told()])

        monkeypatch.setattr(commitment, "on_step", look)
        pay(accounts[1], accounts[2], 300)
        found, alarming, measured = seen
        assert found == Transit(pair=PAIR, currency="INR", minor=300, is_under_way=True)
        assert (alarming, measured) == ([], {"moving": 300.0, "stranded": 0.0})

    def test_is_never_stranded_while_money_moves(self, accounts: list[int]) -> None:
        with paying(accounts) as paid:
            for _look in range(15):
                assert [one for one in money_in_transit() if one.is_stranded] == []
        assert len(paid) > 20

    def test_is_told_of_nodes_that_answer(
        self, accounts: list[int], branches: Branches, server: TestServer
    ) -> None:
        pay(accounts[0], accounts[1], 5)
        with node_down(server, branches.delhi):
            assert [one.pair for one in money_in_transit()] == [(MUM, "default")]


class TestStrandedMoney:
    def test_alarms_when_it_is_seen_twice_and_is_told_to_prometheus(
        self, accounts: list[int], capfd: pytest.CaptureFixture[str], settings: Settings
    ) -> None:
        settings.METRICS_TOKEN = "for Prometheus"
        strand(accounts[1])
        assert alarms() == [Alarm("DEL and MUM", "money_stranded", "30 INR minor units")]
        assert told() == {"moving": 0.0, "stranded": 30.0}
        sound_alarms()
        assert "money_stranded" not in capfd.readouterr().err
        sound_alarms()
        assert "money_stranded" in capfd.readouterr().err
        take_back(accounts[1])
        sound_alarms()
        assert "alarm_over" in capfd.readouterr().err

    def test_is_a_danger_to_the_doctor(self, accounts: list[int]) -> None:
        strand(accounts[1])
        found = [f"{one.level} {one.about} {one.sentence}" for one in copies.two_phase_commit()]
        assert any(line.startswith("danger DEL and MUM money_stranded: 30 INR") for line in found)


@contextmanager
def paying(accounts: list[int]) -> Iterator[list[int]]:
    """Pay between the nodes, three at a time and each another amount; yield what was paid."""
    over = threading.Event()
    paid: list[int] = []

    def pay_on(seed: int) -> None:
        chance = Random(seed)
        while not over.is_set():
            try:
                debit, credit = chance.sample(accounts, 2)
                pay(debit, credit, chance.randrange(1, 1_000))
                paid.append(1)
            except Busy:
                pass
        connections.close_all()

    payers = [threading.Thread(target=pay_on, args=(seed,)) for seed in range(3)]
    for payer in payers:
        payer.start()
    try:
        yield paid
    finally:
        over.set()
        for payer in payers:
            payer.join()
