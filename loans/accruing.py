"""Interest of loans: kept for each day, once, and charged when an instalment falls due.

A day costs its part of a month's interest: what was owed when it ended, times the yearly rate, by
twelve, by the days of the period it lies in. So a whole period on one balance costs exactly what
the plan says. Nothing is rounded before it is charged.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F, Max, Q

from core.clock import start_of
from loans.allocation import Accrued, interest_for
from loans.models import Due, InterestDay, Loan, LoanCharge, LoanState
from loans.plans import Plan, days_of_period, plans_of
from loans.schedule import Method
from transactions.lending import DueKind, LoanCharging, charge, principals_before

_ONE_DAY: Final = timedelta(days=1)
KIND_OF: Final = {
    Due.INTEREST: DueKind.INTEREST,
    Due.FEE: DueKind.FEE,
    Due.PENALTY: DueKind.PENALTY,
}
_WORDS: Final = {
    Due.INTEREST: "Interest of loan",
    Due.FEE: "Fee of loan",
    Due.PENALTY: "Penalty of loan",
}


def running(*, on: date) -> list[Loan]:
    """Return the loans that were paid out by a day and are not repaid."""
    active = Loan.objects.filter(state=LoanState.ACTIVE, start__lte=on)
    return list(active.select_related("terms").order_by("pk"))


def accrue_days(days: Sequence[date], *, loans: Collection[Loan]) -> None:
    """Keep what loans cost on days that are over; each once, however often it is called.

    Raises:
        BranchDown, OutcomeUnknown: a branch does not answer.
    """
    InterestDay.objects.bulk_create(_costs(days, loans=loans), ignore_conflicts=True)


def _costs(days: Sequence[date], *, loans: Collection[Loan]) -> list[InterestDay]:
    """Return what loans that bear interest cost on days that are over, kept nowhere."""
    ends = {day: start_of(day + _ONE_DAY) for day in days}
    owed = principals_before(list(ends.values()), loans=[one.accounts for one in loans])
    plans = plans_of(loans)
    return [
        InterestDay(
            loan=loan,
            day=day,
            principal=_base(loan, plans[loan.pk], owed.get((loan.pk, end), 0)),
            rate_ppm=plans[loan.pk].rate_ppm,
            days=days_of_period(loan.start, day),
        )
        for loan in loans
        for day, end in ends.items()
        if loan.start and loan.start <= day and plans[loan.pk].rate_ppm
    ]


def behind(day: date, *, loans: Sequence[Loan]) -> list[Loan]:
    """Return the loans that have days before one that are not kept."""
    firsts = _firsts_to_keep(loans)
    return [loan for loan in loans if loan.pk in firsts and firsts[loan.pk] < day]


def accrue_until(loan: Loan, *, today: date) -> None:
    """Keep what a loan cost on each day before this one that is not kept yet.

    Raises:
        BranchDown, OutcomeUnknown: its branch does not answer.
    """
    InterestDay.objects.bulk_create(days_to_keep(loan, before=today), ignore_conflicts=True)


def days_to_keep(loan: Loan, *, before: date) -> list[InterestDay]:
    """Return the days before one that are not kept yet, as they would be. Nothing is written.

    Raises:
        BranchDown, OutcomeUnknown: its branch does not answer.
    """
    first = _firsts_to_keep([loan]).get(loan.pk, before)
    days = [first + timedelta(days=number) for number in range((before - first).days)]
    return _costs(days, loans=[loan]) if days else []


def _firsts_to_keep(loans: Collection[Loan]) -> Mapping[int, date]:
    """Return the first days of loans that bear interest that are not kept, by number."""
    kept = InterestDay.objects.filter(loan__in=loans).values("loan").annotate(day=Max("day"))
    newest = dict(kept.values_list("loan", "day"))
    # Before a plan holds, its rate costs nothing; all days before it were kept when it was made.
    return {
        number: max(plan.since, newest[number] + _ONE_DAY) if number in newest else plan.since
        for number, plan in plans_of(loans).items()
        if plan.rate_ppm
    }


def charge_interest(loans: Sequence[Loan], *, day: date, now: datetime) -> None:
    """Charge loans the interest of all days before one that is not charged yet.

    Raises:
        BranchDown, OutcomeUnknown, Busy: doing it again is harmless.
    """
    unpaid = uncharged(loans, before=day)
    write_charges(
        [LoanCharge(loan=loan, kind=Due.INTEREST, day=day, minor=unpaid[loan.pk]) for loan in loans]
    )
    post_charges(loans, now=now)


def uncharged(
    loans: Collection[Loan], *, before: date, besides: Sequence[InterestDay] = ()
) -> Mapping[int, int]:
    """Return the interest of days before one that loans were not charged yet, by number.

    ``besides`` are days that are not kept yet.
    """
    charged = Max("loan__charges__day", filter=Q(loan__charges__kind=Due.INTEREST))
    kept = InterestDay.objects.filter(loan__in=loans, day__lt=before).annotate(charged=charged)
    open_days = kept.filter(Q(charged__isnull=True) | Q(day__gte=F("charged")))
    days: dict[int, list[Accrued]] = defaultdict(list)
    for row in (*open_days, *besides):
        days[row.loan_id].append(Accrued(row.principal, row.rate_ppm, row.days))
    return {loan.pk: interest_for(days[loan.pk]) for loan in loans}


def write_charges(charges: Collection[LoanCharge]) -> None:
    """Write down what is to be charged, but what is nothing or was written before.

    Locks the loans, so that none is repaid or written off beside it: what is so is not charged.
    """
    wanted = [one for one in charges if one.minor > 0]
    with transaction.atomic():
        still = still_running([one.loan_id for one in wanted])
        kept = [one for one in wanted if one.loan_id in still]
        LoanCharge.objects.bulk_create(kept, ignore_conflicts=True)


def still_running(numbers: Collection[int]) -> set[int]:
    """Return which of some loans run, locked to the end of the transaction, which must be open."""
    mine = Loan.objects.filter(pk__in=numbers, state=LoanState.ACTIVE).order_by("pk")
    return set(mine.select_for_update(no_key=True).values_list("pk", flat=True))


def post_charges(loans: Collection[Loan], *, now: datetime) -> None:
    """Post the charges of loans that are written and not posted; again is harmless.

    Raises:
        BranchDown, OutcomeUnknown, Busy
    """
    waiting = list(
        LoanCharge.objects.filter(loan__in=loans, posted_at__isnull=True).select_related(
            "loan__terms"
        )
    )
    charge([_charging(one) for one in waiting], now=now)
    LoanCharge.objects.filter(pk__in=[one.pk for one in waiting]).update(posted_at=now)


def _charging(one: LoanCharge) -> LoanCharging:
    kind = Due(one.kind)
    return LoanCharging(
        accounts=one.loan.accounts,
        kind=KIND_OF[kind],
        minor=one.minor,
        reference=one.reference,
        memo=f"{_WORDS[kind]} {one.loan_id}",
    )


def _base(loan: Loan, plan: Plan, owed: int) -> int:
    """Return what a loan pays interest on: flat interest on the whole, while anything is owed."""
    if loan.terms.method == Method.FLAT and owed:
        return plan.principal
    return owed
