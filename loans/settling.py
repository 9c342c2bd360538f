"""Settling repayments: written down first, then posted, then noted, each once.

One whose process died is finished, under the same key, by whoever comes next. All of it is done
alone with the loan.
"""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from core.clock import bank_day
from core.db.errors import Busy
from core.errors import DomainError
from loans.accruing import post_charges, still_running
from loans.models import Loan, LoanState, Repayment
from loans.plans import add_plan
from loans.quoting import borrowing_by
from loans.replanning import finish_restructuring
from loans.schedule import InvalidBorrowing
from loans.standing import Standing, standing_of
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.lending import Owed, recover, repay
from transactions.services import Channel

BY_BANK: Final = 0


def write_repayment(  # noqa: PLR0913  # a repayment is what these are
    loan: Loan,
    paid: Owed,
    *,
    key: str,
    account: int,
    made_at: datetime,
    by: int | None = None,
    asked: int | None = None,
    early: int = 0,
    recovered: int = 0,
    channel: Channel = Channel.BANK,
) -> Repayment:
    """Write a repayment down, before it is posted."""
    return Repayment.objects.create(
        loan=loan,
        by_id=by,
        key=key,
        account=account,
        asked=asked,
        **asdict(paid),
        early=early,
        recovered=recovered,
        channel=channel,
        made_at=made_at,
    )


def settle(written: Repayment) -> Repayment:
    """Post a repayment, and note what came of it; refused, it is forgotten.

    Raises:
        Refused, BranchDown, Busy, OutcomeUnknown
    """
    loan = Loan.objects.select_related("terms").get(pk=written.loan_id)
    post_charges([loan], now=written.made_at)
    try:
        transfer = _recover(loan, written) if written.recovered else _repay(loan, written)
    except (BranchDown, Busy, OutcomeUnknown):
        raise
    except DomainError:
        written.delete()
        raise
    written.transfer_id = transfer
    _note(loan, written)
    return written


def finish_repayments(loan: Loan) -> None:
    """Settle what was written for a loan by a process that died since.

    Raises:
        BranchDown, Busy, OutcomeUnknown
    """
    # First: a payment of what is to become principal would leave too little of it.
    finish_restructuring(loan)
    for left_over in Repayment.objects.filter(loan=loan, transfer_id__isnull=True):
        try:
            settle(left_over)
        except (BranchDown, Busy, OutcomeUnknown):
            raise
        except DomainError:
            # Refused, and so forgotten: it never happened.
            continue
    loan.refresh_from_db()


def _repay(loan: Loan, written: Repayment) -> UUID:
    receipt = repay(
        loan.accounts,
        payer=written.account,
        paid=written.paid,
        memo=f"Loan {loan.number}",
        client=written.by_id or BY_BANK,
        channel=Channel(written.channel),
        key=f"loan-repayment:{written.pk}",
        now=written.made_at,
    )
    return receipt.first_id


def _recover(loan: Loan, written: Repayment) -> UUID:
    receipt = recover(
        loan.accounts,
        payer=written.account,
        minor=written.recovered,
        client=written.by_id or BY_BANK,
        channel=Channel(written.channel),
        key=f"loan-repayment:{written.pk}",
        now=written.made_at,
    )
    return receipt.first_id


@transaction.atomic
def _note(loan: Loan, done: Repayment) -> None:
    """Note that a repayment is posted; a loan on which nothing is owed is repaid."""
    done.save(update_fields=["transfer_id"])
    if done.recovered:
        return
    still_running([loan.pk])
    standing = standing_of(loan, day=bank_day(done.made_at))
    if not standing.owed.total and not loan.charges.filter(posted_at=None).exists():
        Loan.objects.filter(pk=loan.pk).update(state=LoanState.REPAID, repaid_at=done.made_at)
    elif done.early:
        _plan_anew(standing)


def _plan_anew(standing: Standing) -> None:
    """Spread what is left over the instalments to come, on their days; each becomes smaller."""
    plan = standing.plan
    coming = [one.due_date for one in plan.instalments if one.due_date > standing.day]
    if not coming or not standing.owed.principal:
        return
    loan = standing.loan
    borrowing = replace(
        borrowing_by(loan.terms, principal=standing.owed.principal, months=len(coming)),
        rate_ppm=plan.rate_ppm,
        holiday_months=max(0, plan.holiday_months - len(plan.instalments) + len(coming)),
    )
    try:
        add_plan(loan, borrowing, number=plan.number + 1, since=standing.day, days=coming)
    except InvalidBorrowing:
        # Too little is left to be spread: the plan stands, and its last instalments are paid.
        return
