"""What a model may know of an application: nothing that came later."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

import numpy as np
import pytest

from loans.risk.columns import encode, learn_columns
from loans.risk.features import Application, Movement, NoHistory, features_of

APPLIED: Final = date(1997, 6, 1)


def movements(balances: Sequence[int], *, until: date = APPLIED) -> list[Movement]:
    """Return a movement every ten days, the last ten days before a day."""
    before = [0, *balances]
    return [
        Movement(
            day=until - timedelta(days=10 * (len(balances) - number)),
            amount=balance - before[number],
            balance=balance,
        )
        for number, balance in enumerate(balances)
    ]


def application(balances: Sequence[int] = (900_00, 500_00, 1500_00, 700_00)) -> Application:
    return Application(
        applied_on=APPLIED,
        requested=30_000_00,
        offered=24_000_00,
        months=24,
        instalment=1_000_00,
        rate_ppm=130_000,
        second_holder=False,
        movements=movements(balances),
    )


class TestFeatures:
    def test_are_of_the_day_of_application_whatever_comes_later(self) -> None:
        asked = application()
        later = [
            Movement(day=APPLIED + timedelta(days=days), amount=-9, balance=-9, penalty=True)
            for days in (0, 1, 400)
        ]
        known = [*asked.movements, *later]
        assert features_of(replace(asked, movements=known)) == features_of(asked)

    def test_do_not_tell_how_long_ago_the_last_movement_was(self) -> None:
        asked = application()
        assert features_of(replace(asked, applied_on=APPLIED + timedelta(days=90))) == features_of(
            asked
        )

    def test_hold_the_wish_and_the_offer(self) -> None:
        features = features_of(application())
        assert features["log_requestedamount"] == pytest.approx(np.log(30_000_00))
        assert features["log_loanamount"] == pytest.approx(np.log(24_000_00))
        assert features["loan_to_request_ratio"] == 0.8
        assert features["is_high_interest"] == 1

    def test_follow_the_account(self) -> None:
        low, high = (features_of(application(b)) for b in ((900_00, -500_00), (9_000_00, 8_000_00)))
        assert (low["was_overdrawn"], high["was_overdrawn"]) == (1, 0)
        assert low["lowest_balance"] < 0 < high["lowest_balance"]
        assert low["days_below_an_instalment"] == 1
        assert high["days_below_an_instalment"] == 0

    def test_are_none_without_earlier_movements(self) -> None:
        with pytest.raises(NoHistory):
            features_of(replace(application(), applied_on=date(1990, 1, 1)))

    def test_are_the_columns_a_model_expects_whoever_asks(self) -> None:
        first_look = replace(application(), offered=30_000_00, rate_ppm=0)
        expected = learn_columns([features_of(application()), features_of(first_look)], [False] * 2)
        for asked in (application(), first_look):
            assert list(features_of(asked)) == [column.name for column in expected]
            assert len(encode(expected, features_of(asked))) == len(expected)
