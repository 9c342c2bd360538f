"""Whatever a client says: what is admitted is what is seen is what is answered."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from random import Random

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.balancing import laboratory
from tests.desync import Oracle, mutated


@pytest.fixture(scope="module")
def saying() -> Iterator[tuple[asyncio.Runner, Oracle]]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()
        lab = runner.run(stack.enter_async_context(laboratory()))
        yield runner, Oracle(lab)
        runner.run(stack.aclose())


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(dice=st.randoms(use_true_random=False), cut=st.floats(0, 1))
def test_changed_requests_are_read_by_all_alike(
    saying: tuple[asyncio.Runner, Oracle], dice: Random, cut: float
) -> None:
    runner, oracle = saying
    raw = mutated(dice)
    at = int(cut * len(raw))
    runner.run(oracle.hold(raw, raw[:at], raw[at:]))
