"""The races in short: exactly the right number gets through."""

from collections.abc import Callable

import pytest

from tests.proofs import _racing
from transactions.ledger.invariants import check_books

pytestmark = pytest.mark.usefixtures("fresh_bank")


@pytest.mark.parametrize(
    "run",
    [
        _racing.on_one_balance,
        _racing.on_a_daily_limit,
        _racing.on_a_payee_limit,
        _racing.on_one_reversal,
    ],
)
def test_lets_exactly_the_right_number_through(run: Callable[[], _racing.Race]) -> None:
    assert run().failures == []
    assert check_books().findings == []


def test_one_key_posts_once_however_often_it_is_sent() -> None:
    assert _racing.on_one_key(racers=200).failures == []
    assert check_books().findings == []


def test_one_hold_ends_once() -> None:
    assert [failure for race in _racing.on_one_hold(rounds=8) for failure in race.failures] == []
    assert check_books().findings == []
