"""Loans that nobody ever took, for the demo: its pages show scores by them, and no bank lends.

Each applicant has an income, a way of spending and a wish; the tighter the three are together, the
likelier the loan goes bad.
"""

import math
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Final

from loans.risk.features import Application, Features, Movement, features_of
from loans.risk.training.datasets import Loans

_LOANS: Final = 600
_SEED: Final = 20_251
_APPLIED: Final = date(2025, 6, 1)
_LEAST_DAYS: Final = 40
_MOST_DAYS: Final = 400
_TERMS: Final = (6, 12, 18, 24, 36, 48, 60, 84, 120, 180, 240, 360)
_RATES_PPM: Final = (65_000, 86_000, 95_000, 110_000, 125_000, 150_000)
_PENALTY: Final = 100_00
_PENALTY_DAY: Final = 28
_AGES: Final = ("under 30", "30 to 49", "50 and above")


def invented_loans() -> Loans:
    """Return the same loans each time."""
    dice = Random(_SEED)  # noqa: S311  # a story, not a secret
    rows = [_invented(dice) for _ in range(_LOANS)]
    return Loans(
        name="invented",
        ids=[str(number) for number in range(_LOANS)],
        rows=rows,
        bad=[dice.random() < _chance(row) for row in rows],
        parts=[0] * _LOANS,
        groups={
            "age": [dice.choice(_AGES) for _ in rows],
            "gender": [dice.choice(("man", "woman")) for _ in rows],
        },
    )


def _invented(dice: Random) -> Features:
    income = round(20_000_00 * math.exp(dice.gauss(0.8, 0.8)))
    months = dice.choice(_TERMS)
    instalment = max(round(income * dice.uniform(0.02, 1.1)), 500_00)
    amount = round(instalment * months * dice.uniform(0.45, 0.95))
    return features_of(
        Application(
            applied_on=_APPLIED,
            requested=amount,
            offered=amount,
            months=months,
            instalment=instalment,
            rate_ppm=dice.choice(_RATES_PPM),
            second_holder=dice.random() < 0.2,  # noqa: PLR2004  # now and then
            movements=list(_movements(dice, income)),
        )
    )


def _movements(dice: Random, income: int) -> Iterator[Movement]:
    """Yield a life: a salary each month, and spending between, more or less of it."""
    share, balance = dice.uniform(0.55, 1.08), round(income * dice.uniform(0.1, 6))
    days = dice.randint(_LEAST_DAYS, _MOST_DAYS)
    yield Movement(day=_APPLIED - timedelta(days=days + 1), amount=balance, balance=balance)
    for ago in range(days, 0, -1):
        day = _APPLIED - timedelta(days=ago)
        if day.day == 1:
            balance += income
            yield Movement(day=day, amount=income, balance=balance)
        if dice.random() < 0.4:  # noqa: PLR2004  # not every day
            spent = round(income * share / 12 * dice.uniform(0.2, 1.8))
            balance -= spent
            yield Movement(day=day, amount=-spent, balance=balance)
        if balance < 0 and day.day == _PENALTY_DAY:
            balance -= _PENALTY
            yield Movement(day=day, amount=-_PENALTY, balance=balance, penalty=True)


def _chance(row: Features) -> float:
    """Return how likely such a loan goes bad, one in six of all or so."""
    strain = (
        1.1 * (row["instalment_to_income"] + 0.7)
        - 0.7 * row["surplus"]
        - 0.35 * row["usual_balance"]
        + 1.2 * row["days_below_an_instalment"]
        + 0.5 * row["was_overdrawn"]
        - 0.5 * row["second_holder"]
        - 1.6
    )
    return 1 / (1 + math.exp(-strain))
