"""Who may have requests, with a clock that the test turns."""

from dataclasses import replace
from random import Random

import pytest

from lb.data.fleet import Fleet, Member
from lb.data.standing import Ejection, Health, Trust
from lb.snapshot import Backend, Check, Policy, Snapshot, State


def _fleet(count: int) -> Fleet:
    fleet = Fleet(Random(3))
    backends = tuple(Backend(name=f"b{n}", host="127.0.0.1", port=n + 1) for n in range(count))
    fleet.rule(Snapshot(version=1, backends=backends, policy=Policy.ROUND_ROBIN), 0.0)
    return fleet


def _chosen(fleet: Fleet, now: float, *, repeatable: bool = True) -> set[str]:
    found = (fleet.choose(now, repeatable=repeatable, tried=()) for _ in range(30))
    return {member.backend.name for member in found if member is not None}


def _fail(fleet: Fleet, name: str, now: float, times: int) -> Member:
    member = fleet.members[name]
    for _ in range(times):
        fleet.failed(member, now, ejects=True)
    return member


def test_checks_turn_a_backend_after_so_many_in_a_row() -> None:
    health = Health(Check(rise=2, fall=3), is_up=True)
    assert [health.checked(well=well) for well in (False, False, True)] == [False] * 3
    assert [health.checked(well=False) for _ in range(3)] == [False, False, True]
    assert [health.checked(well=True) for _ in range(2)] == [False, True]


def test_five_failures_in_a_row_eject() -> None:
    ejection = Ejection()
    for _ in range(4):
        assert not ejection.failed(0.0)
    ejection.succeeded(0.0)
    assert [ejection.failed(0.0) for _ in range(5)] == [False] * 4 + [True]


def test_more_than_half_of_twenty_eject() -> None:
    ejection = Ejection()
    found = []
    for _ in range(10):
        found.append(ejection.failed(0.0))
        found.append(ejection.failed(0.0))
        ejection.succeeded(0.0)
    assert found.index(True) + 1 == 14  # of 7 rounds: 20 answers, 14 of them failures


@pytest.mark.parametrize(("times", "seconds"), [(1, 5), (2, 10), (4, 40), (5, 60), (9, 60)])
def test_each_ejection_lasts_twice_as_long_up_to_a_minute(times: int, seconds: int) -> None:
    ejection, now = Ejection(), 0.0
    for _ in range(times):
        now += 1000
        ejection.begin_probation()
        ejection.eject(now)
    assert not ejection.wants_probation(now + seconds - 0.1, repeatable=True)
    assert ejection.wants_probation(now + seconds, repeatable=True)


def test_one_request_tries_an_ejected_backend_and_its_answer_decides() -> None:
    fleet = _fleet(3)
    member = _fail(fleet, "b0", 0.0, 5)
    assert _chosen(fleet, 4.9) == {"b1", "b2"}
    assert fleet.choose(5.0, repeatable=True, tried=()) is member
    assert member.ejection.trust is Trust.PROBATION
    assert _chosen(fleet, 5.0) == {"b1", "b2"}
    fleet.failed(member, 5.1, ejects=True)
    assert _chosen(fleet, 15.0) == {"b1", "b2"}
    assert fleet.choose(15.2, repeatable=True, tried=()) is member
    fleet.succeeded(member, 0.01, 15.3)
    assert _chosen(fleet, 15.3) == {"b0", "b1", "b2"}
    assert member.load.weight_now(15.3) == pytest.approx(10)
    assert member.load.weight_now(20.3) == 100


def test_a_probation_waits_for_a_request_that_may_be_repeated_but_not_for_ever() -> None:
    fleet = _fleet(3)
    _fail(fleet, "b0", 0.0, 5)
    assert _chosen(fleet, 9.9, repeatable=False) == {"b1", "b2"}
    assert _chosen(fleet, 10.0, repeatable=False) == {"b0", "b1", "b2"}


def test_the_last_one_is_never_ejected() -> None:
    fleet = _fleet(2)
    _fail(fleet, "b0", 0.0, 5)
    _fail(fleet, "b1", 0.0, 50)
    assert _chosen(fleet, 1.0) == {"b1"}


def test_all_are_asked_when_fewer_than_half_are_well() -> None:
    fleet = _fleet(4)
    for name in ("b0", "b1"):
        _fail(fleet, name, 0.0, 5)
    assert (fleet.panics, _chosen(fleet, 1.0)) == (False, {"b2", "b3"})
    _fail(fleet, "b2", 0.0, 5)
    assert (fleet.panics, len(_chosen(fleet, 1.0))) == (True, 4)


def test_too_many_requests_eject_nobody() -> None:
    fleet = _fleet(2)
    for _ in range(50):
        fleet.failed(fleet.members["b0"], 0.0, ejects=False)
    assert fleet.members["b0"].ejection.trust is Trust.TRUSTED


def test_a_newcomer_is_checked_first_and_starts_as_slow_as_the_others_are() -> None:
    fleet = _fleet(2)
    for member in fleet.members.values():
        member.load.answered(0.2, 10.0)
    known = [member.backend for member in fleet.members.values()]
    new = Backend(name="new", host="127.0.0.1", port=99)
    fleet.rule(Snapshot(version=2, backends=(*known, new)), 10.0)
    assert "new" not in _chosen(fleet, 10.0)
    fleet.checked(fleet.members["new"], 11.0, well=True)
    fleet.checked(fleet.members["new"], 12.0, well=True)
    assert fleet.members["new"].load.weight_now(12.0) == pytest.approx(10)
    assert fleet.members["new"].load.seconds(10.0) == pytest.approx(0.2)


def test_another_snapshot_forgets_nothing_that_was_learnt() -> None:
    fleet = _fleet(2)
    member = _fail(fleet, "b0", 0.0, 5)
    backends = tuple(replace(one.backend, weight=7) for one in fleet.members.values())
    fleet.rule(Snapshot(version=2, backends=backends), 1.0)
    assert fleet.members["b0"] is member
    assert (member.ejection.trust, member.load.weight) == (Trust.EJECTED, 7)


def test_who_drains_or_leaves_gets_nothing() -> None:
    fleet = _fleet(3)
    first, second, _ = (member.backend for member in fleet.members.values())
    drains = replace(first, state=State.DRAINING)
    fleet.rule(Snapshot(version=2, backends=(drains, second)), 1.0)
    assert _chosen(fleet, 1.0) == {"b1"}
    fleet.rule(Snapshot(version=3, backends=()), 1.0)
    assert _chosen(fleet, 1.0) == set()
