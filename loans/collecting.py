"""What falls due as a day begins: it is charged, and collected from the account of the loan.

Closings do it for all loans; who pays early before the days up to then are closed does it for
theirs, so that each day costs by what was owed when it ended.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from core.clock import start_of
from core.db.errors import Busy
from core.errors import DomainError
from loans.accruing import accrue_until, charge_interest, post_charges, write_charges
from loans.allocation import allocated
from loans.models import Due, InterestDay, Loan, LoanCharge, LoanState, Repayment
from loans.opening import alone_with_loan
from loans.plans import due_days, falls_due, plans_of
from loans.restructuring import restructure_due
from loans.settling import finish_repayments, settle, write_repayment
from loans.standing import Standing, standing_of
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.lending import available_on
from transactions.payments.due_dates import about_to_be_paid

_ONE_DAY: Final = timedelta(days=1)


def charge_due(loans: Collection[Loan], *, day: date, now: datetime) -> None:
    """Charge the interest and the fee of what falls due on a day; each once.

    Raises:
        BranchDown, OutcomeUnknown, Busy: doing it again is harmless.
    """
    falling = [one for one in loans if one.start and falls_due(one.start, day)]
    charge_interest(falling, day=day, now=now)
    plans = plans_of(falling)
    write_charges(
        [
            LoanCharge(loan=one, kind=Due.FEE, day=day, minor=one.terms.instalment_fee)
            for one in falling
            if plans[one.pk].due_on(day)
        ]
    )
    post_charges(falling, now=now)


def collect_due(standings: Collection[Standing], *, day: date) -> int:
    """Collect what is due on a day, as it begins; return of how many loans not all was there.

    Once for each loan and day. What a standing order of the borrower's pays on the day is left to
    that; other people's orders may fail, and bind nobody.

    Raises:
        BranchDown, Busy, OutcomeUnknown: the same again tells.
    """
    owing = [one for one in standings if one.due.total]
    ordered = about_to_be_paid([one.loan.pk for one in owing], by=day)
    unpaid = 0
    for one in owing:
        ahead = ordered[one.loan.pk, one.loan.borrower_id]
        unpaid += _collect(one, ahead=ahead) + ahead < one.due.total
    return unpaid


def collection_key(day: date) -> str:
    """Return what the keys of a day's collections begin with."""
    return f"collection/{day:%F}/"


def catch_up(loan: Loan, *, today: date, now: datetime) -> None:
    """Do for one loan what closings of the days before today have not done yet.

    What falls due today is charged, and left to whoever is about to pay.

    Raises:
        BranchDown, Busy, OutcomeUnknown: doing it again is harmless.
    """
    for day in _days_missed(loan, today=today):
        accrue_until(loan, today=day)
        charge_due([loan], day=day, now=now)
        restructure_due([loan], day=day)
        if day < today:
            collect_due([standing_of(loan, day=day)], day=day)
            loan.refresh_from_db()
        if loan.state != LoanState.ACTIVE:
            return


def _days_missed(loan: Loan, *, today: date) -> Sequence[date]:
    """Return the days up to today on which something fell due that no closing has charged."""
    kept = InterestDay.objects.filter(loan=loan).order_by("-day").first()
    plan = plans_of([loan])[loan.pk]
    if loan.start is None or not plan.rate_ppm:
        # Without interest it is all the same when it is done.
        return []
    done = kept.day + _ONE_DAY if kept else loan.start
    months = (today.year - done.year) * 12 + today.month - done.month + 1
    return [day for day in due_days(loan.start, after=done, count=months) if day <= today]


def _collect(standing: Standing, *, ahead: int) -> int:
    """Take what is due, but what an order is to pay, from a loan's account, as far as it is there.

    Returns what was taken, in minor units: nothing too where the account is frozen or closed.
    """
    loan = standing.loan
    key = f"{collection_key(standing.day)}{loan.pk}"
    with alone_with_loan(loan.application_id):
        finish_repayments(loan)
        if Repayment.objects.filter(by=None, key=key).exists():
            return 0
        fresh = standing_of(loan, day=standing.day)
        taken = min(fresh.due.total - ahead, available_on(loan.account))
        if taken <= 0:
            return 0
        paid = allocated(taken, fresh.due)
        made_at = start_of(standing.day)
        written = write_repayment(loan, paid, key=key, account=loan.account, made_at=made_at)
        try:
            settle(written)
        except (BranchDown, Busy, OutcomeUnknown):
            raise
        except DomainError:
            return 0
        return taken
