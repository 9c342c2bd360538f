"""How unlike all that an account did before a payment is: an unsupervised score, and why.

Each feature says how surprising its value is by this account's own history: in squared robust
deviations from the median, or, for what is not a number, as twice the surprise -log p, which is the
same scale. They are added up, so each feature's part of the score explains it. Nothing is learned
from others, so nothing has to be trained, and a new habit is usual after some weeks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from math import log, log1p, sqrt
from statistics import median
from typing import Final

from transactions.fraud import bounds
from transactions.fraud.course import Course, Movement
from transactions.fraud.findings import Finding, Rule

# A median absolute deviation of this much is a standard deviation of one, where values are normal.
_NORMAL: Final = 1.4826
# Three deviations at most: so two features never raise an alarm alone, three have to agree.
_MOST: Final = 9.0
_HOURS: Final = 24
_NEAR_HOURS: Final = 3
_DAY: Final = timedelta(days=1).total_seconds()


@dataclass(frozen=True, slots=True)
class Score:
    """How surprising a payment is, and each feature's part of it, which add up to 1."""

    value: float
    parts: Mapping[str, float]


def unlike_before(payment: Movement, before: Course) -> Finding | None:
    """Find a payment that is unlike all of the account's so far."""
    if not payment.is_out or payment.other in before.own:
        return None
    found = score(payment, before.payments())
    if found is None or found.value < bounds.ALARM_SCORE:
        return None
    largest = sorted(found.parts.items(), key=lambda part: -part[1])
    return Finding(
        rule=Rule.ANOMALY,
        at=payment.at,
        account=before.account,
        transfers=(payment.id,),
        facts={
            "score": f"{found.value:.1f}",
            "alarm": f"{bounds.ALARM_SCORE:.1f}",
            "amount": payment.amount,
            "currency": before.currency,
            "parts": {name: round(part * 100) for name, part in largest if part > 0},
        },
    )


def score(payment: Movement, earlier: Sequence[Movement]) -> Score | None:
    """Return the score of a payment by those before it, oldest first.

    None when those are few, and for an amount below the usual one, which is not worth a question.
    """
    if len(earlier) < bounds.SCORED_AFTER:
        return None
    if payment.amount < median(one.amount for one in earlier):
        return None
    surprises = {name: min(feature(payment, earlier), _MOST) for name, feature in _FEATURES.items()}
    total = sum(surprises.values())
    parts = {name: (one / total if total else 0.0) for name, one in surprises.items()}
    return Score(sqrt(total), parts)


def _amount(payment: Movement, earlier: Sequence[Movement]) -> float:
    """Tell how far the amount is above the usual ones, in orders of magnitude."""
    return _above(log(payment.amount), [log(one.amount) for one in earlier], least=0.5)


def _balance(payment: Movement, earlier: Sequence[Movement]) -> float:
    """Tell how far the part of what was there is above the usual ones."""
    return _above(_part(payment), [_part(one) for one in earlier], least=0.15)


def _pace(payment: Movement, earlier: Sequence[Movement]) -> float:
    """Tell how far the time since the payment before is below the usual ones."""
    gaps = [_gap(one, last) for last, one in pairwise(earlier)]
    return _above(-_gap(payment, earlier[-1]), [-gap for gap in gaps], least=1.0)


def _payee(payment: Movement, earlier: Sequence[Movement]) -> float:
    """Tell how seldom this account meets a new payee, when this is one."""
    known: set[int] = set()
    met = 0
    for one in earlier:
        met += one.other not in known
        known.add(one.other)
    return 0.0 if payment.other in known else _surprise(met, len(earlier))


def _kind(payment: Movement, earlier: Sequence[Movement]) -> float:
    """Tell how seldom this account pays in this way."""
    alike = sum(one.kind == payment.kind for one in earlier)
    return _surprise(alike, len(earlier))


def _hour(payment: Movement, earlier: Sequence[Movement]) -> float:
    """Tell how seldom this account pays near this hour of the day."""
    near = sum(_apart(payment.at.hour, one.at.hour) <= _NEAR_HOURS for one in earlier)
    return _surprise(near, len(earlier))


def _above(value: float, usual: Sequence[float], *, least: float) -> float:
    """Return how far a value is above the median, in squared robust deviations of ``least``."""
    middle = median(usual)
    spread = max(_NORMAL * median(abs(one - middle) for one in usual), least)
    return max(value - middle, 0.0) ** 2 / spread**2


def _surprise(count: int, among: int) -> float:
    return -2 * log((count + 1) / (among + 1))


def _part(payment: Movement) -> float:
    had = payment.amount + max(payment.after, 0)
    return payment.amount / had


def _gap(payment: Movement, last: Movement) -> float:
    return log1p(max((payment.at - last.at).total_seconds(), 0.0) / _DAY)


def _apart(hour: int, other: int) -> int:
    apart = abs(hour - other)
    return min(apart, _HOURS - apart)


_FEATURES: Final[Mapping[str, Callable[[Movement, Sequence[Movement]], float]]] = {
    "amount": _amount,
    "balance": _balance,
    "pace": _pace,
    "payee": _payee,
    "kind": _kind,
    "hour": _hour,
}
