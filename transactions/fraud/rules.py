"""Rules over one account: pure. Each looks at a movement and at what was before it."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from statistics import median
from typing import Any, Final

from transactions.fraud import bounds
from transactions.fraud.course import SENT, Course, Movement
from transactions.fraud.findings import Finding, Rule
from transactions.fraud.scoring import unlike_before

_PERCENT: Final = 100
RuleOfAccounts = Callable[[Movement, Course], Finding | None]


def findings_on(course: Course, *, new: frozenset[Any]) -> Iterator[Finding]:
    """Yield what the rules find in the movements whose ids are ``new``."""
    for place, movement in enumerate(course.movements):
        if movement.id in new:
            before = course.until(place)
            for rule in RULES:
                found = rule(movement, before)
                if found is not None:
                    yield found


def velocity(payment: Movement, before: Course) -> Finding | None:
    """Find many orders in a short time, of an account on which there are few."""
    recent = _burst(payment, before.payments())
    count = len({one.order for one in recent})
    if not payment.is_out or count < bounds.VELOCITY_LEAST:
        return None
    settled = [one for one in before.payments() if one.at <= payment.at - bounds.USUAL_BEFORE]
    usual = _usual_burst(settled)
    if count < usual * bounds.VELOCITY_TIMES_USUAL:
        return None
    return Finding(
        rule=Rule.VELOCITY,
        at=payment.at,
        account=before.account,
        transfers=tuple(one.id for one in recent),
        facts={"count": count, "minutes": _minutes(bounds.VELOCITY_WINDOW), "usual": usual},
    )


def new_payee(payment: Movement, before: Course) -> Finding | None:
    """Find an amount to somebody never paid before, far beyond all that was paid before."""
    earlier = [one for one in before.payments() if one.kind in SENT]
    known = {one.other for one in earlier} | before.own
    if payment.kind not in SENT or not payment.is_out or payment.other in known:
        return None
    if len(earlier) < bounds.KNOWN_AFTER:
        return _emptied(payment, before)
    largest = max(one.amount for one in before.payments())
    least = (before.reported or 0) // bounds.NEW_PAYEE_LEAST_PART
    if payment.amount < max(largest * bounds.NEW_PAYEE_TIMES_LARGEST, least):
        return None
    return _about(payment, before, Rule.NEW_PAYEE, {"largest": largest})


def structuring(movement: Movement, before: Course) -> Finding | None:
    """Find cash paid in, or taken out, in amounts that each stay just below what is reported."""
    if before.reported is None or not movement.is_cash:
        return None
    least = before.reported * bounds.STRUCTURING_FROM_PERCENT // _PERCENT
    pieces = [
        one
        for one in [*before.within(bounds.STRUCTURING_WINDOW, movement.at), movement]
        if one.is_cash and one.is_out == movement.is_out and least <= one.amount < before.reported
    ]
    if movement not in pieces or len(pieces) < bounds.STRUCTURING_LEAST:
        return None
    return Finding(
        rule=Rule.STRUCTURING,
        at=movement.at,
        account=before.account,
        transfers=tuple(one.id for one in pieces),
        facts={
            "count": len(pieces),
            "is_out": movement.is_out,
            "total": sum(one.amount for one in pieces),
            "reported": before.reported,
            "days": bounds.STRUCTURING_WINDOW.days,
            "currency": before.currency,
        },
    )


def branches(movement: Movement, before: Course) -> Finding | None:
    """Find cash at two branches, with less time between them than the way takes."""
    near = before.within(bounds.BRANCHES_WINDOW, movement.at)
    elsewhere = [one for one in near if one.is_cash and one.branch != movement.branch]
    if not movement.is_cash or not elsewhere:
        return None
    last = elsewhere[-1]
    return Finding(
        rule=Rule.TRAVEL,
        at=movement.at,
        account=before.account,
        transfers=(last.id, movement.id),
        facts={
            "branch": movement.branch,
            "branch_before": last.branch,
            "minutes": _minutes(movement.at - last.at),
        },
    )


def _emptied(payment: Movement, before: Course) -> Finding | None:
    """Find that most of what is there leaves an account of which nobody knows what is usual."""
    had = payment.amount + payment.after
    percent = payment.amount * _PERCENT // had if had > 0 else _PERCENT
    if before.reported is None or payment.amount < before.reported:
        return None
    if percent < bounds.EMPTIED_PERCENT:
        return None
    return _about(payment, before, Rule.NEW_PAYEE, {"percent": percent})


def _about(payment: Movement, before: Course, rule: Rule, facts: dict[str, Any]) -> Finding:
    """Return what is found about one payment alone, and told once for it."""
    return Finding(
        rule=rule,
        at=payment.at,
        account=before.account,
        transfers=(payment.id,),
        once_for=str(payment.id),
        facts={"amount": payment.amount, "currency": before.currency, **facts},
    )


def _burst(payment: Movement, payments: list[Movement]) -> list[Movement]:
    """Return a payment with those shortly before it."""
    since = payment.at - bounds.VELOCITY_WINDOW
    return [*(one for one in payments if since < one.at <= payment.at), payment]


def _usual_burst(payments: list[Movement]) -> int:
    """Return how many orders usually stand together: the median, seen from each payment."""
    sizes = []
    first = 0
    for place, payment in enumerate(payments):
        while payments[first].at <= payment.at - bounds.VELOCITY_WINDOW:
            first += 1
        sizes.append(len({one.order for one in payments[first : place + 1]}))
    return round(median(sizes)) if sizes else 1


def _minutes(time: timedelta) -> int:
    return round(time.total_seconds() / 60)


RULES: Final[tuple[RuleOfAccounts, ...]] = (
    velocity,
    new_payee,
    structuring,
    branches,
    unlike_before,
)
