"""What closing a day does for loans, in this order; each part can be broken off and done again.

A day is closed when it is over, so what falls due on the next one is charged and collected then,
when that day begins.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from loans.accruing import (
    accrue_days,
    accrue_until,
    behind,
    post_charges,
    running,
    write_charges,
)
from loans.collecting import charge_due, collect_due, collection_key
from loans.models import (
    Due,
    InterestDay,
    LoanCharge,
    Repayment,
    Restructuring,
    RestructuringState,
)
from loans.opening import finish_openings
from loans.reminding import remind
from loans.restructuring import restructure_due
from loans.standing import Standing, standings
from loans.writing_off import finish_write_offs
from transactions.closing.outcome import Outcome
from transactions.closing.steps import Step

_ONE_DAY: Final = timedelta(days=1)
_NOT_PAID: Final = "insufficient_funds"


def _open(_day: date, _now: datetime) -> Outcome:
    return Outcome(finish_openings())


def _write_off(_day: date, _now: datetime) -> Outcome:
    return Outcome(finish_write_offs())


def _accrue(day: date, _now: datetime) -> Outcome:
    loans = running(on=day)
    for late in behind(day, loans=loans):
        accrue_until(late, today=day)
    accrue_days([day], loans=loans)
    return Outcome(InterestDay.objects.filter(day=day).count())


def _charge(day: date, now: datetime) -> Outcome:
    """Charge the interest and the fee of what falls due as the next day begins."""
    next_day = day + _ONE_DAY
    charge_due(running(on=day), day=next_day, now=now)
    return _charged(LoanCharge.objects.filter(day=next_day).exclude(kind=Due.PENALTY))


def _restructure(day: date, _now: datetime) -> Outcome:
    """Begin the plans that hold from the next day on."""
    next_day = day + _ONE_DAY
    restructure_due(running(on=day), day=next_day)
    agreed = Restructuring.objects.filter(since=next_day)
    counts = Counter(agreed.values_list("state", flat=True))
    lapsed = Counter({str(RestructuringState.LAPSED): counts[RestructuringState.LAPSED]})
    return Outcome(counts[RestructuringState.DONE], left_out=+lapsed)


def _collect(day: date, _now: datetime) -> Outcome:
    next_day = day + _ONE_DAY
    unpaid = collect_due(standings(running(on=day), day=next_day).values(), day=next_day)
    left_out = +Counter({_NOT_PAID: unpaid})
    taken = Repayment.objects.filter(
        by=None, key__startswith=collection_key(next_day)
    ).select_related("loan__terms")
    amounts: Counter[str] = Counter()
    for one in taken:
        amounts[one.loan.terms.currency] += one.paid.total
    return Outcome(len(taken), amounts, left_out)


def _punish(day: date, now: datetime) -> Outcome:
    """Charge the penalty of each instalment whose days of grace are over, once."""
    loans = [loan for loan in running(on=day) if loan.terms.penalty]
    late = [one for one in standings(loans, day=day + _ONE_DAY).values() if one.late_since]
    write_charges([charge for standing in late for charge in _penalties(standing, day)])
    post_charges(loans, now=now)
    return _charged(LoanCharge.objects.filter(kind=Due.PENALTY, posted_at__gte=now))


def _penalties(standing: Standing, day: date) -> Iterator[LoanCharge]:
    terms = standing.loan.terms
    last = day - timedelta(days=terms.grace_days)
    for one in standing.plan.instalments:
        if standing.late_since and standing.late_since <= one.due_date <= last:
            yield LoanCharge(
                loan=standing.loan, kind=Due.PENALTY, day=one.due_date, minor=terms.penalty
            )


def _remind(day: date, now: datetime) -> Outcome:
    """Tell of what is due soon, or late, as the next day begins."""
    return Outcome(remind(standings(running(on=day), day=day + _ONE_DAY).values(), now=now))


def _charged(charges: QuerySet[LoanCharge]) -> Outcome:
    found = charges.select_related("loan__terms")
    amounts: Counter[str] = Counter()
    for one in found:
        amounts[one.loan.terms.currency] += one.minor
    return Outcome(len(found), amounts)


STEPS: Final = (
    Step("loan_openings", _open),
    Step("loan_write_offs", _write_off),
    Step("loan_interest", _accrue),
    Step("loan_charges", _charge),
    Step("loan_restructurings", _restructure),
    Step("loan_collections", _collect),
    Step("loan_penalties", _punish),
    Step("loan_reminders", _remind),
)
