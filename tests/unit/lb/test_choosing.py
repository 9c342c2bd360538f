"""Policies against their formulas, with a clock that the test turns."""

from collections import Counter
from math import exp
from random import Random

import pytest

from lb.data.allowance import CLIENTS, Allowance, client_of, shared_memory
from lb.data.load import FLOOR_SECONDS, PENALTY_SECONDS, RAMP_SECONDS, Load
from lb.data.policies import CHOICES
from lb.data.windows import RetryBudget
from lb.snapshot import Policy, RateLimit
from tests.balancing import allowance


def test_a_worse_answer_counts_at_once_and_better_ones_bit_by_bit() -> None:
    load = Load(weight=100)
    load.answered(0.1, 10.0)
    assert load.seconds(10.0) == 0.1
    load.answered(0.02, 11.0)
    kept = exp(-1 / 5)
    assert load.seconds(11.0) == pytest.approx(0.1 * kept + 0.02 * (1 - kept))
    load.answered(0.3, 12.0)
    assert load.seconds(12.0) == 0.3
    assert load.seconds(17.0) == pytest.approx(0.3 * exp(-1))


def test_what_slows_all_down_for_a_moment_is_forgotten_by_answers_and_not_by_time() -> None:
    busy, slow = Load(weight=100), Load(weight=100)
    for load in (busy, slow):
        load.answered(0.2, 0.0)
    for _ in range(15):
        busy.answered(0.01, 0.1)
    assert busy.cost(0.1) < slow.cost(0.1) / 5


def test_a_backend_that_comes_back_is_taken_for_what_others_are_and_not_for_what_it_was() -> None:
    load = Load(weight=100)
    load.failed(0.0)
    load.start_anew(0.02, 1.0)
    assert load.seconds(1.0) == 0.02
    assert load.weight_now(1.0) == pytest.approx(10)


def test_the_cost_is_seconds_times_requests_by_weight() -> None:
    load = Load(weight=50)
    load.answered(0.1, 0.0)
    assert load.cost(0.0) == pytest.approx(0.1 * 1 / 50)
    load.begin("a", 0.0)
    load.begin("b", 0.0)
    assert load.cost(0.0) == pytest.approx(0.1 * 3 / 50)
    assert load.connections_cost(0.0) == pytest.approx(3 / 50)


def test_noise_below_the_floor_makes_no_difference() -> None:
    quick, quicker = Load(weight=100), Load(weight=100)
    quick.answered(0.007, 0.0)
    quicker.answered(0.001, 0.0)
    assert quick.cost(0.0) == quicker.cost(0.0) == FLOOR_SECONDS / 100


def test_a_quick_failure_costs_more_than_a_slow_answer() -> None:
    failing, slow = Load(weight=100), Load(weight=100)
    failing.failed(0.0)
    slow.answered(0.5, 0.0)
    assert failing.cost(0.0) == pytest.approx(PENALTY_SECONDS / 100)
    assert failing.cost(0.0) > slow.cost(0.0)
    assert failing.cost(27.0) == pytest.approx(FLOOR_SECONDS / 100)


def test_silence_costs_as_long_as_it_lasts() -> None:
    load = Load(weight=100)
    load.begin("a", 0.0)
    load.begin("b", 1.0)
    assert load.seconds(3.0) == 3.0
    load.end("a")
    assert load.seconds(3.0) == 2.0


def test_a_newcomer_gets_its_whole_weight_bit_by_bit() -> None:
    load = Load(weight=100)
    load.start_anew(0.0, 10.0)
    assert load.weight_now(10.0) == pytest.approx(10)
    assert load.weight_now(10.0 + RAMP_SECONDS / 2) == pytest.approx(50)
    assert load.weight_now(10.0 + RAMP_SECONDS) == 100


def _chosen(policy: Policy, loads: list[Load], rounds: int = 4000) -> Counter[int]:
    dice = Random(7)
    return Counter(CHOICES[policy](loads, 0.0, dice) for _ in range(rounds))


@pytest.mark.parametrize("policy", Policy)
def test_equals_get_equal_shares(policy: Policy) -> None:
    found = _chosen(policy, [Load(weight=100) for _ in range(4)])
    assert all(850 < found[place] < 1150 for place in range(4))


@pytest.mark.parametrize("policy", [Policy.ROUND_ROBIN, Policy.RANDOM])
def test_shares_go_by_weight(policy: Policy) -> None:
    found = _chosen(policy, [Load(weight=weight) for weight in (100, 200, 100)])
    assert 1850 < found[1] < 2150


@pytest.mark.parametrize(
    "policy", [Policy.HYBRID, Policy.LEAST_CONNECTIONS, Policy.LEAST_REQUEST, Policy.PEAK_EWMA]
)
def test_who_is_busy_gets_less(policy: Policy) -> None:
    loads = [Load(weight=100) for _ in range(3)]
    for load in loads:
        load.answered(0.1, 0.0)
    for request in range(5):
        loads[0].begin(request, 0.0)
    assert _chosen(policy, loads)[0] == 0


@pytest.mark.parametrize("policy", [Policy.HYBRID, Policy.PEAK_EWMA])
def test_who_is_slow_gets_less(policy: Policy) -> None:
    loads = [Load(weight=100) for _ in range(3)]
    loads[0].answered(0.5, 0.0)
    assert _chosen(policy, loads)[0] == 0


def test_many_backends_are_compared_by_twos() -> None:
    loads = [Load(weight=100) for _ in range(20)]
    loads[0].answered(0.5, 0.0)
    found = _chosen(Policy.HYBRID, loads)
    assert found[0] == 0
    assert len(found) == 19


def test_retries_are_a_fifth_of_ten_seconds_and_three() -> None:
    budget = RetryBudget()
    assert [budget.allow(0.0) for _ in range(4)] == [True, True, True, False]
    for _ in range(10):
        budget.request(1.0)
    assert [budget.allow(2.0) for _ in range(3)] == [True, True, False]
    assert [budget.allow(13.0) for _ in range(4)] == [True, True, True, False]


def test_a_client_has_its_burst_and_then_its_rate() -> None:
    found = allowance(RateLimit(requests_per_second=2.0, burst=3))
    assert [found.wait("a", 0.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert found.wait("b", 0.0) == 0.0
    assert found.wait("a", 0.5) == 0.0
    assert client_of("2001:db8:1:2:3::4") == client_of("2001:db8:1:2:ffff::1")
    assert client_of("::ffff:10.0.0.1") == "10.0.0.1"


def test_a_client_has_one_allowance_at_all_processes_of_a_data_plane() -> None:
    limit, memory = RateLimit(requests_per_second=1.0, burst=2), shared_memory()
    one, other = Allowance(limit, memory), Allowance(limit, memory)
    assert [one.wait("a", 0.0), other.wait("a", 0.0)] == [0.0, 0.0]
    assert one.wait("a", 0.0) == other.wait("a", 0.0) == 1.0
    assert other.wait("b", 0.0) == 0.0


def test_a_limit_that_is_eased_lets_those_in_again_who_owed_much() -> None:
    found = allowance(RateLimit(requests_per_second=1.0, burst=600))
    for _request in range(600):
        found.wait("a", 0.0)
    found.rule(RateLimit(requests_per_second=100.0, burst=100))
    assert found.wait("a", 0.0) == pytest.approx(0.01)
    assert found.wait("a", 0.01) == 0.0


def test_of_more_clients_than_can_be_remembered_those_who_owe_most_are() -> None:
    found = allowance(RateLimit(requests_per_second=0.01, burst=1))
    for client in range(CLIENTS * 5 // 4):
        found.wait(str(client), client * 0.001)
    now = CLIENTS * 0.00125
    assert found.wait(str(CLIENTS * 5 // 4 - 1), now) > 0
    assert any(found.wait(str(client), now) == 0.0 for client in range(1000))
