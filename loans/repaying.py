"""Repaying loans: by hand or by standing order, when it is due, or early in part or whole.

The ledger refuses what is more than owed.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from core.clock import bank_day
from core.errors import DomainError
from core.money import Money
from loans.accruing import accrue_until, charge_interest, days_to_keep, uncharged
from loans.allocation import allocated
from loans.collecting import catch_up
from loans.finding import LoanNotRunning, loan_of
from loans.models import Loan, LoanState, Repayment
from loans.opening import alone_with_loan
from loans.settling import finish_repayments, settle, write_repayment
from loans.standing import standing_of
from loans.writing_off import recoverable_of
from transactions.lending import Owed
from transactions.payments.paying_in import PayeeDone
from transactions.services import Channel, TransferRequest


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
    """A wish to pay; the ``key`` makes it safe to repeat. Without ``minor``, an amount: all.

    With ``at_most``, what is more than owed is not paid, instead of refused.
    """

    user: int
    loan: int
    account: int
    minor: int | None
    currency: str
    channel: Channel
    key: str
    at_most: bool = False


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


def payoff_quote(user: int, *, number: int, now: datetime) -> Payoff:
    """Return what it takes to repay a loan today; of one that was written off, what is left of it.

    Raises:
        UnknownLoan, LoanNotRunning
        BranchDown, OutcomeUnknown
    """
    loan = loan_of(user, number=number)
    if loan.state == LoanState.WRITTEN_OFF and recoverable_of(loan):
        left = Owed(principal=recoverable_of(loan))
        return Payoff(owed=left, interest_since=0, currency=loan.terms.currency)
    if loan.state != LoanState.ACTIVE:
        raise LoanNotRunning
    return _payoff(loan, now=now)


def repay_loan(request: RepaymentRequest, *, now: datetime) -> Repayment:
    """Pay for a loan: penalties first, then fees, interest, principal. No transaction may be open.

    What is more than due is repaid early, and the instalments to come are made smaller. What is
    paid for a loan that was written off is recovered.

    Raises:
        UnknownLoan, LoanNotRunning, MoreThanOwed, OtherRequest
        Refused: with the reason; nothing was paid.
        BranchDown, Busy, OutcomeUnknown: the same request sent again tells.
    """
    return _pay(loan_of(request.user, number=request.loan), request, now=now)


def pay_by_order(order: TransferRequest, now: datetime) -> UUID | None:
    """Pay for a loan what a standing order sends to it, up to all that is owed; None: to no loan.

    Anybody may pay for a loan. Returns the transfer's id.

    Raises:
        PayeeDone: nothing is owed on it any more.
        LoanNotRunning, MoreThanOwed, Refused: nothing was paid.
        BranchDown, Busy, OutcomeUnknown: the same again tells.
    """
    loan = Loan.objects.filter(pk=order.credit).select_related("terms").first()
    if loan is None:
        return None
    request = RepaymentRequest(
        user=order.user,
        loan=order.credit,
        account=order.debit,
        minor=order.amount.minor,
        currency=order.amount.currency,
        channel=order.channel,
        key=order.key,
        at_most=True,
    )
    try:
        return _pay(loan, request, now=now).transfer_id
    except LoanNotRunning as refusal:
        if loan.state == LoanState.OPENING:
            raise
        raise PayeeDone(refusal.message) from refusal


def _pay(loan: Loan, request: RepaymentRequest, *, now: datetime) -> Repayment:
    with alone_with_loan(loan.application_id):
        sent = Repayment.objects.filter(by=request.user, key=request.key)
        earlier = sent.select_related("loan__terms").first()
        if earlier is not None:
            return _again(earlier, request)
        finish_repayments(loan)
        if loan.state == LoanState.WRITTEN_OFF and recoverable_of(loan):
            return settle(_write_recovery(loan, request, now=now))
        if loan.state != LoanState.ACTIVE:
            raise LoanNotRunning
        return settle(_write(loan, request, now=now))


def _write(loan: Loan, request: RepaymentRequest, *, now: datetime) -> Repayment:
    """Write down what a payment pays, once interest is charged up to today where it is needed.

    Raises:
        LoanNotRunning, MoreThanOwed
    """
    today = bank_day(now)
    wanted = _wanted(request, _payoff(loan, now=now).total)
    if wanted > standing_of(loan, day=today).due.total:
        # What is repaid early is repaid after all that fell due on the days that are over.
        catch_up(loan, today=today, now=now)
        if loan.state != LoanState.ACTIVE:
            raise LoanNotRunning
        accrue_until(loan, today=today)
        charge_interest([loan], day=today, now=now)
    standing = standing_of(loan, day=today)
    paid = allocated(_wanted(request, loan.terms.money(standing.owed.total)), standing.owed)
    early = max(0, paid.principal - standing.due.principal)
    return _written(loan, paid, request, now=now, early=early)


def _write_recovery(loan: Loan, request: RepaymentRequest, *, now: datetime) -> Repayment:
    left = loan.terms.money(recoverable_of(loan))
    return _written(loan, Owed(), request, now=now, recovered=_wanted(request, left))


def _wanted(request: RepaymentRequest, most: Money) -> int:
    """Return what is to be paid, in minor units, when ``most`` is owed.

    Raises:
        MoreThanOwed
    """
    if request.currency != most.currency:
        message = _("The loan is in another currency.")
        raise MoreThanOwed(message, code="wrong_currency", field="currency")
    if request.minor is None:
        return most.minor
    if request.minor > most.minor and not request.at_most:
        message = _("This is more than is owed: %(owed)s.") % {"owed": most}
        raise MoreThanOwed(message, field="amount")
    return min(request.minor, most.minor)


def _written(
    loan: Loan, paid: Owed, request: RepaymentRequest, *, now: datetime, **kinds: int
) -> Repayment:
    return write_repayment(
        loan,
        paid,
        key=request.key,
        account=request.account,
        made_at=now,
        by=request.user,
        asked=request.minor,
        channel=request.channel,
        **kinds,
    )


def _again(earlier: Repayment, request: RepaymentRequest) -> Repayment:
    """Answer a request that was sent before.

    Raises:
        OtherRequest
    """
    asked = (earlier.loan_id, earlier.account, earlier.asked, earlier.loan.terms.currency)
    if asked != (request.loan, request.account, request.minor, request.currency):
        raise OtherRequest
    return earlier if earlier.is_done else settle(earlier)


def _payoff(loan: Loan, *, now: datetime) -> Payoff:
    """Return what it takes today; nothing is written: who looks must change nobody's interest."""
    today = bank_day(now)
    ahead = days_to_keep(loan, before=today)
    since = uncharged([loan], before=today, besides=ahead)[loan.pk]
    owed = standing_of(loan, day=today).owed
    return Payoff(owed=owed, interest_since=since, currency=loan.terms.currency)
