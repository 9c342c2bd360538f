"""What a model knows of an application: figures of the day it was made, and nothing later.

One function makes them, for training and for every page that asks. Balances are measured in
instalments and amounts as logarithms, so that no currency is meant. Age, gender and the place
somebody lives in are no features.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

HIGH_RATE_PPM: Final = 120_000
_RECENT: Final = timedelta(days=91)
_MONTH: Final = 30.44
_SETTLING: Final = timedelta(days=30)
_PENALTIES: Final = 3
_LOW_TENTH: Final = 0.1

Features = dict[str, float]

NAMES: Final = (
    "log_requestedamount",
    "log_loanamount",
    "loan_to_request_ratio",
    "is_high_interest",
    "months",
    "instalment_to_income",
    "surplus",
    "penalties",
    "usual_balance",
    "amount_to_balance",
    "balance_variation",
    "lowest_balance",
    "lowest_balance_recently",
    "low_tenth_of_balance",
    "days_below_an_instalment",
    "was_overdrawn",
    "second_holder",
)
"""All features, in their order: what a model that scores applications has to expect."""


class NoHistory(Exception):
    """Nothing moved on the applicant's account before the day of the application."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What came to (plus) or left an account, and its balance then, in minor units.

    ``earned`` is interest that the bank paid, ``penalty`` what it took for a negative balance.
    """

    day: date
    amount: int
    balance: int
    earned: bool = False
    penalty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What is asked for and offered, in minor units, by whom, on which day.

    ``movements`` are those of the account that would repay, the oldest first. Those of the day
    itself and later ones are not looked at.
    """

    applied_on: date
    requested: int
    offered: int
    months: int
    instalment: int
    rate_ppm: int
    second_holder: bool
    movements: Sequence[Movement]


def features_of(application: Application) -> Features:
    """Return the features of an application, always the same ones in the same order.

    How long ago the last movement was is not among them, nor does any depend on it.

    Raises:
        NoHistory
    """
    known = [found for found in application.movements if found.day < application.applied_on]
    if not known:
        raise NoHistory
    return {
        **_of_the_wish(application),
        **_of_the_flow(known, application.instalment),
        **_of_the_balance(known, application),
        "second_holder": float(application.second_holder),
    }


def _of_the_wish(application: Application) -> Features:
    return {
        "log_requestedamount": math.log(application.requested),
        "log_loanamount": math.log(application.offered),
        "loan_to_request_ratio": application.offered / application.requested,
        "is_high_interest": float(application.rate_ppm > HIGH_RATE_PPM),
        "months": float(application.months),
    }


def _of_the_flow(known: Sequence[Movement], instalment: int) -> Features:
    months = max((known[-1].day - known[0].day).days / _MONTH, 1)
    income = sum(m.amount for m in known if m.amount > 0 and not m.earned) / months
    spending = -sum(m.amount for m in known if m.amount < 0) / months
    return {
        "instalment_to_income": math.log(instalment / max(income, 1)),
        "surplus": _damped((income - spending - instalment) / instalment),
        "penalties": float(min(sum(m.penalty for m in known), _PENALTIES)),
    }


def _of_the_balance(known: Sequence[Movement], application: Application) -> Features:
    instalment = application.instalment
    days = _balances_by_length(known)
    length = sum(days_at for _balance, days_at in days)
    usual = sum(balance * days_at for balance, days_at in days) / length
    spread = math.sqrt(sum((balance - usual) ** 2 * days_at for balance, days_at in days) / length)
    floor = max(usual, instalment / 4)
    return {
        "usual_balance": math.log(floor / instalment),
        "amount_to_balance": math.log(application.offered / floor),
        "balance_variation": spread / floor,
        "lowest_balance": _damped(_lowest(_settled(known)) / instalment),
        "lowest_balance_recently": _damped(_lowest(_recent(known)) / instalment),
        "low_tenth_of_balance": _damped(_low_tenth(days) / instalment),
        "days_below_an_instalment": sum(at for balance, at in days if balance < instalment)
        / length,
        "was_overdrawn": float(_lowest(known) < 0),
    }


def _balances_by_length(known: Sequence[Movement]) -> list[tuple[int, int]]:
    """Return each balance at a day's end and for how many days it stood, the last for one."""
    ends = {found.day: found.balance for found in known}
    days = [*ends, max(ends) + timedelta(days=1)]
    return [(ends[day], (following - day).days) for day, following in pairwise(days)]


def _settled(known: Sequence[Movement]) -> Sequence[Movement]:
    """Leave out the first month, in which an account is only being filled."""
    return [m for m in known if m.day - known[0].day >= _SETTLING] or known


def _recent(known: Sequence[Movement]) -> Iterable[Movement]:
    return (m for m in known if known[-1].day - m.day < _RECENT)


def _lowest(movements: Iterable[Movement]) -> int:
    return min(found.balance for found in movements)


def _low_tenth(days: Sequence[tuple[int, int]]) -> int:
    """Return the balance below which the account was for a tenth of the days."""
    left = sum(days_at for _balance, days_at in days) * _LOW_TENTH
    for balance, days_at in sorted(days):
        left -= days_at
        if left <= 0:
            return balance
    raise AssertionError


def _damped(instalments: float) -> float:
    """Return a logarithm of a figure that may be negative: large ones differ little."""
    return math.copysign(math.log1p(abs(instalments)), instalments)
