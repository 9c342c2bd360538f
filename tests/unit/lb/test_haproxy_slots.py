"""What HAProxy is told of backends, from what they did."""

from typing import Final

from lb.haproxy.slots import PROBATION_WEIGHT, Slots
from lb.snapshot import Backend, Deadlines, Policy, Snapshot, State

SLOTS: Final = 4


def snapshot(*names: str, policy: Policy = Policy.HYBRID) -> Snapshot:
    """Return a snapshot that names backends, on a port each."""
    backends = tuple(Backend(name=name, host="127.0.0.1", port=8_000 + ord(name)) for name in names)
    return Snapshot(version=1, backends=backends, policy=policy)


class Trial:
    """Slots under a clock that goes when it is told."""

    def __init__(self, found: Snapshot) -> None:
        self.now = 1_000.0
        self.slots = Slots()
        self.obey(found)

    def obey(self, found: Snapshot) -> list[str]:
        """Return what HAProxy is told when it obeys a snapshot."""
        self.slots.obey(found, slots=SLOTS, now=self.now)
        return [one.removeprefix("set server bank/") for one in self.slots.commands(SLOTS)]

    def pass_(self, seconds: int) -> None:
        """Let time pass, second by second."""
        for _second in range(seconds):
            self.now += 1
            self.slots.turn(self.now)

    def answers(
        self, slot: int, count: int = 1, *, status: int = 200, seconds: float = 0.01
    ) -> None:
        """Let a slot answer."""
        for _answer in range(count):
            self.slots.answered(slot, status=status, seconds=seconds, now=self.now)

    def weights(self) -> dict[str, int]:
        """Return the weights that HAProxy is to know."""
        self.slots.commands(SLOTS)
        return {
            one.backend.name: self.slots.told(number).weight
            for number, one in self.slots.places.items()
        }


def test_new_backends_get_an_address_and_serve() -> None:
    trial = Trial(snapshot("a"))
    assert trial.slots.told(1).state == "ready"
    assert trial.obey(snapshot("a")) == []
    assert trial.obey(snapshot("a", "b")) == [
        "slot2 addr 127.0.0.1 port 8098",
        "slot2 weight 256",
        "slot2 state ready",
    ]


def test_what_the_snapshot_no_longer_names_drains_and_leaves_its_slot() -> None:
    trial = Trial(snapshot("a", "b"))
    assert trial.obey(snapshot("b")) == ["slot1 state drain"]
    trial.pass_(int(Deadlines().drain_seconds))
    assert trial.obey(snapshot("b")) == ["slot1 state maint"]
    assert "slot1 addr 127.0.0.1 port 8099" in trial.obey(snapshot("b", "c"))


def test_one_that_comes_back_has_another_slot_while_the_old_one_drains() -> None:
    trial = Trial(snapshot("a", "b"))
    trial.obey(snapshot("b"))
    assert "slot3 state ready" in trial.obey(snapshot("a", "b"))
    assert trial.slots.told(1).state == "drain"


def test_draining_is_told() -> None:
    trial = Trial(snapshot("a"))
    draining = Backend(name="a", host="127.0.0.1", port=8_097, state=State.DRAINING)
    assert trial.obey(Snapshot(version=2, backends=(draining,))) == ["slot1 state drain"]


def test_weight_falls_fast_with_latency_and_rises_slowly() -> None:
    trial = Trial(snapshot("a", "b"))
    trial.pass_(10)
    trial.answers(1)
    trial.answers(2, seconds=0.1)
    trial.pass_(1)
    first = trial.weights()
    assert first["a"] > 200
    assert first["b"] < 256 * 0.4
    for _second in range(10):
        trial.answers(1, seconds=0.01)
        trial.answers(2, seconds=0.1)
        trial.pass_(1)
    assert 20 <= trial.weights()["b"] <= 32
    trial.pass_(6)
    assert 32 < trial.weights()["b"] < 256


def test_latency_counts_for_nothing_under_round_robin() -> None:
    trial = Trial(snapshot("a", "b", policy=Policy.ROUND_ROBIN))
    trial.pass_(10)
    trial.answers(2, seconds=1.0)
    trial.pass_(5)
    assert trial.weights() == {"a": 256, "b": 256}


def test_the_snapshots_weights_hold() -> None:
    trial = Trial(snapshot("a", "b"))
    light = Backend(name="b", host="127.0.0.1", port=8_098, weight=25)
    trial.obey(Snapshot(version=2, backends=(*snapshot("a").backends, light)))
    trial.pass_(12)
    assert trial.weights()["a"] == 256
    assert 60 <= trial.weights()["b"] <= 72


def test_five_failures_hold_a_backend_out_longer_each_time() -> None:
    trial = Trial(snapshot("a", "b"))
    trial.pass_(10)
    trial.answers(1, 4, status=500)
    assert trial.weights()["a"] > 0
    trial.answers(1, 1, status=500)
    assert trial.weights()["a"] == 0
    trial.pass_(4)
    assert trial.weights()["a"] == 0
    trial.pass_(1)
    assert trial.weights()["a"] == PROBATION_WEIGHT
    trial.answers(1, status=503)
    trial.pass_(9)
    assert trial.weights()["a"] == 0
    trial.pass_(1)
    trial.answers(1)
    assert trial.weights()["a"] > 0
    assert trial.slots.places[1].ejections == 2


def test_all_are_used_when_too_few_are_trusted() -> None:
    trial = Trial(snapshot("a", "b", "c"))
    for slot in (1, 2):
        trial.answers(slot, 5, status=500)
    assert trial.slots.panics
    assert all(weight > 0 for weight in trial.weights().values())
    alone = Trial(snapshot("a"))
    alone.answers(1, 5, status=500)
    assert alone.weights()["a"] > 0


def test_another_haproxy_is_told_everything() -> None:
    trial = Trial(snapshot("a"))
    trial.slots.forget()
    assert len(trial.obey(snapshot("a"))) == 3 * SLOTS
