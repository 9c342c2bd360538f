"""Repaying loans: by hand, early in part or whole, and collected when an instalment falls due.

A repayment is written down before it is posted, under the lock of its loan; the ledger refuses what
is more than owed. One whose process died is finished, under the same key, by whoever comes next.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from core.clock import bank_day
from core.db.errors import Busy
from core.errors import DomainError
from core.money import Money
from loans.accruing import (
    accrue_until,
    charge_interest,
    days_to_keep,
    post_charges,
    uncharged,
)
from loans.allocation import allocated
from loans.models import Instalment, Loan, LoanPlan, LoanState, Repayment
from loans.opening import alone_with_loan
from loans.quoting import borrowing_by
from loans.schedule import InvalidBorrowing, schedule
from loans.standing import Standing, standing_of
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.lending import Owed, available_on, repay
from transactions.services import Channel

BY_BANK: Final = 0


class UnknownLoan(DomainError):
    """There is no such loan of the person's."""

    code = "unknown_loan"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such loan."))


class LoanNotRunning(DomainError):
    """Nothing is owed on a loan: it is repaid, or not paid out yet."""

    code = "loan_not_running"
    http_status = 409

    def __init__(self) -> None:
        super().__init__(_("Nothing is owed on this loan."))


class MoreThanOwed(DomainError):
    """A payment is larger than all that is owed."""

    code = "more_than_owed"


class OtherRequest(DomainError):
    """A key was used before, for another repayment."""

    code = "key_reused"

    def __init__(self) -> None:
        super().__init__(_("The idempotency key was used before, for another request."))


@dataclass(frozen=True, slots=True, kw_only=True)
class RepaymentRequest:
    """A borrower's wish to pay; the ``key`` makes it safe to repeat. Without ``amount``: all."""

    user: int
    loan: int
    account: int
    amount: Money | None
    channel: Channel
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payoff:
    """What it takes to repay a loan today: what is owed, and the interest since the last charge."""

    owed: Owed
    interest_since: int
    currency: str

    @property
    def total(self) -> Money:
        """All together."""
        return Money(self.owed.total + self.interest_since, self.currency)


def loan_of(user: int, *, number: int) -> Loan:
    """Return one of a person's loans.

    Raises:
        UnknownLoan
    """
    found = Loan.objects.filter(pk=number, borrower=user).select_related("terms").first()
    if found is None:
        raise UnknownLoan
    return found


def payoff_quote(user: int, *, number: int, now: datetime) -> Payoff:
    """Return what it takes to repay a loan today.

    Raises:
        UnknownLoan, LoanNotRunning
        BranchDown, OutcomeUnknown
    """
    loan = loan_of(user, number=number)
    if loan.state != LoanState.ACTIVE:
        raise LoanNotRunning
    return _payoff(loan, now=now)


def repay_loan(request: RepaymentRequest, *, now: datetime) -> Repayment:
    """Pay for a loan: penalties first, then fees, interest, principal. No transaction may be open.

    What is more than due is repaid early, and the instalments to come are made smaller.

    Raises:
        UnknownLoan, LoanNotRunning, MoreThanOwed, OtherRequest
        Refused: with the reason; nothing was paid.
        BranchDown, Busy, OutcomeUnknown: the same request sent again tells.
    """
    loan = loan_of(request.user, number=request.loan)
    with alone_with_loan(loan.application_id):
        earlier = Repayment.objects.filter(by=request.user, key=request.key).first()
        if earlier is not None:
            return _again(earlier, request)
        _finish(loan)
        loan.refresh_from_db()
        if loan.state != LoanState.ACTIVE:
            raise LoanNotRunning
        written = _write(loan, request, now=now)
        return _settle(written)


def collect(standing: Standing, *, key: str, happened_at: datetime) -> int:
    """Take what is due from the account that a loan was paid out to, as far as it is there.

    Returns what was taken, in minor units: nothing too where the account is frozen or closed.

    Raises:
        BranchDown, Busy, OutcomeUnknown: the same again tells.
    """
    loan = standing.loan
    with alone_with_loan(loan.application_id):
        _finish(loan)
        if Repayment.objects.filter(by=None, key=key).exists():
            return 0
        fresh = standing_of(loan, day=standing.day)
        taken = min(fresh.due.total, available_on(loan.account))
        if not taken:
            return 0
        paid = allocated(taken, fresh.due)
        written = _written(loan, paid, key=key, account=loan.account, made_at=happened_at)
        try:
            _settle(written)
        except (BranchDown, Busy, OutcomeUnknown):
            raise
        except DomainError:
            return 0
        return taken


def _write(loan: Loan, request: RepaymentRequest, *, now: datetime) -> Repayment:
    """Write down what a payment pays, once interest is charged up to today where it is needed.

    Raises:
        MoreThanOwed
    """
    today = bank_day(now)
    payoff = _payoff(loan, now=now)
    amount = request.amount or payoff.total
    if amount.currency != loan.terms.currency:
        message = _("The loan is in another currency.")
        raise MoreThanOwed(message, code="wrong_currency", field="currency")
    if amount.minor > payoff.total.minor:
        message = _("This is more than is owed: %(owed)s.") % {"owed": payoff.total}
        raise MoreThanOwed(message, field="amount")
    due = standing_of(loan, day=today).due
    if amount.minor > due.total:
        # What is repaid early is repaid after the interest of the days that are over.
        accrue_until(loan, today=today)
        charge_interest([loan], day=today, now=now)
    owed = standing_of(loan, day=today).owed
    paid = allocated(amount.minor, owed)
    return _written(
        loan,
        paid,
        key=request.key,
        account=request.account,
        made_at=now,
        by=request.user,
        asked=request.amount.minor if request.amount else None,
        early=max(0, paid.principal - due.principal),
        channel=request.channel,
    )


def _written(  # noqa: PLR0913  # a repayment is what these are
    loan: Loan,
    paid: Owed,
    *,
    key: str,
    account: int,
    made_at: datetime,
    by: int | None = None,
    asked: int | None = None,
    early: int = 0,
    channel: Channel = Channel.BANK,
) -> Repayment:
    return Repayment.objects.create(
        loan=loan,
        by_id=by,
        key=key,
        account=account,
        asked=asked,
        **asdict(paid),
        early=early,
        channel=channel,
        made_at=made_at,
    )


def _again(earlier: Repayment, request: RepaymentRequest) -> Repayment:
    """Answer a request that was sent before."""
    asked = request.amount.minor if request.amount else None
    if (earlier.loan_id, earlier.account, earlier.asked) != (request.loan, request.account, asked):
        raise OtherRequest
    return earlier if earlier.is_done else _settle(earlier)


def _finish(loan: Loan) -> None:
    """Settle what was written for a loan by a process that died since."""
    for left_over in Repayment.objects.filter(loan=loan, transfer_id__isnull=True):
        try:
            _settle(left_over)
        except (BranchDown, Busy, OutcomeUnknown):
            raise
        except DomainError:
            # Refused, and so forgotten: it never happened.
            continue


def _settle(written: Repayment) -> Repayment:
    """Post a repayment, and note what came of it; refused, it is forgotten.

    Raises:
        Refused, BranchDown, Busy, OutcomeUnknown
    """
    loan = Loan.objects.select_related("terms").get(pk=written.loan_id)
    post_charges([loan], now=written.made_at)
    try:
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
    except (BranchDown, Busy, OutcomeUnknown):
        raise
    except DomainError:
        written.delete()
        raise
    written.transfer_id = receipt.first_id
    _note(loan, written)
    return written


@transaction.atomic
def _note(loan: Loan, done: Repayment) -> None:
    """Note that a repayment is posted; a loan on which nothing is owed is repaid."""
    done.save(update_fields=["transfer_id"])
    standing = standing_of(loan, day=bank_day(done.made_at))
    if not standing.owed.total:
        Loan.objects.filter(pk=loan.pk).update(state=LoanState.REPAID, repaid_at=done.made_at)
    elif done.early:
        _plan_anew(standing)


def _plan_anew(standing: Standing) -> None:
    """Spread what is left over the instalments to come, on their days; each becomes smaller."""
    coming = [one for one in standing.plan.instalments if one.due_date > standing.day]
    if not coming or not standing.owed.principal:
        return
    loan = standing.loan
    borrowing = borrowing_by(loan.terms, principal=standing.owed.principal, months=len(coming))
    left = loan.terms.holiday_months - (loan.months - len(coming))
    try:
        fresh = schedule(replace(borrowing, holiday_months=max(0, left)), start=standing.day)
    except InvalidBorrowing:
        # Too little is left to be spread: the plan stands, and its last instalments are paid.
        return
    plan = LoanPlan.objects.create(
        loan=loan,
        number=standing.plan.number + 1,
        since=standing.day,
        principal=standing.owed.principal,
    )
    Instalment.objects.bulk_create(
        Instalment(
            plan=plan,
            number=place,
            due_date=old.due_date,
            principal=new.principal,
            interest=new.interest,
            balance_after=new.balance_after,
        )
        for place, (old, new) in enumerate(zip(coming, fresh, strict=True), start=1)
    )


def _payoff(loan: Loan, *, now: datetime) -> Payoff:
    """Return what it takes today; nothing is written: who looks must change nobody's interest."""
    today = bank_day(now)
    ahead = days_to_keep(loan, before=today)
    since = uncharged([loan], before=today, besides=ahead)[loan.pk]
    owed = standing_of(loan, day=today).owed
    return Payoff(owed=owed, interest_since=since, currency=loan.terms.currency)
