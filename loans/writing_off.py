"""Writing a loan off: an officer proposes, another admin approves; what is paid later is income."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Sum

from accounts.approvals import approvable
from accounts.models import Approval, ApprovalState
from core import clock
from core.clock import bank_day
from loans.accruing import accrue_until, charge_interest, post_charges, still_running
from loans.finding import LoanNotRunning, UnknownLoan, running_loan
from loans.models import Loan, LoanState, Repayment, WriteOff
from loans.opening import alone_with_loan
from loans.settling import finish_repayments
from loans.standing import standing_of
from transactions.asking_once import ask_once
from transactions.lending import write_off

WRITE_OFF: Final = "loans.write_off_loan"


def propose_write_off(number: int, *, maker: int, key: str, reason: str) -> Approval:
    """Propose to write a running loan off; another admin must approve. Once at a time.

    Raises:
        UnknownLoan, LoanNotRunning
        InvalidText: the reason is empty, too long, or not one line.
        Refused: the key stands for another request.
    """
    loan = running_loan(number)
    waiting = Approval.objects.filter(
        action=WRITE_OFF,
        payload__loan=str(number),
        state__in=[ApprovalState.WAITING, ApprovalState.APPROVED],
    )
    # The same request asked again is known by its key; earlier ones have none.
    others = (one for one in waiting if (one.maker_id, one.payload.get("key")) != (maker, key))
    payload = {"loan": str(number), "account": str(loan.account), "person": loan.borrower_id}
    return next(others, None) or ask_once(WRITE_OFF, payload, maker=maker, key=key, reason=reason)


def recoverable_of(loan: Loan) -> int:
    """Return what of a loan that was written off has not been paid since, in minor units."""
    paid = Repayment.objects.filter(loan=loan).aggregate(all=Sum("recovered"))["all"] or 0
    return loan.write_off.owed.total - int(paid)


def finish_write_offs() -> int:
    """Post what was written off while its branch was silent; return how many.

    Raises:
        BranchDown, Busy, OutcomeUnknown: doing it again is harmless.
    """
    begun = WriteOff.objects.filter(transfer_id=None).select_related("loan__terms")
    for written in begun:
        with alone_with_loan(written.loan.application_id):
            written.refresh_from_db(fields=["transfer_id"])
            _settle(written.loan, written)
    return len(begun)


def _same_loan(payload: Mapping[str, Any]) -> Collection[str]:
    return [payload["loan"]]


@approvable(WRITE_OFF, about=_same_loan)
def _write_off(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:
    now = clock.now()
    loan = Loan.objects.filter(pk=payload["loan"]).select_related("terms").first()
    if loan is None:
        raise UnknownLoan
    with alone_with_loan(loan.application_id):
        begun = WriteOff.objects.filter(loan=loan).first()
        written = begun or _written(loan, maker=maker, checker=checker, now=now)
        _settle(loan, written)
    return {"written_off": str(loan.terms.money(written.owed.total))}


def _written(loan: Loan, *, maker: int, checker: int, now: datetime) -> WriteOff:
    """Write down all that is owed, the interest up to today included."""
    finish_repayments(loan)
    if loan.state != LoanState.ACTIVE:
        raise LoanNotRunning
    today = bank_day(now)
    accrue_until(loan, today=today)
    charge_interest([loan], day=today, now=now)
    with transaction.atomic():
        # From here on nobody repays or charges it, so that what is written down is what is posted.
        still_running([loan.pk])
        post_charges([loan], now=now)
        owed = standing_of(loan, day=today).owed
        Loan.objects.filter(pk=loan.pk).update(state=LoanState.WRITTEN_OFF)
        return WriteOff.objects.create(
            loan=loan,
            **asdict(owed),
            made_at=now,
            asked_by_id=maker,
            approved_by_id=checker,
        )


def _settle(loan: Loan, written: WriteOff) -> None:
    """Post a write-off under its key, and note that it is posted."""
    if written.transfer_id is not None:
        return
    key = f"loan-write-off:{loan.pk}"
    receipt = write_off(loan.accounts, owed=written.owed, key=key, now=written.made_at)
    written.transfer_id = receipt.first_id
    written.save(update_fields=["transfer_id"])
