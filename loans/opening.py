"""Accepting an offer: the loan is opened and paid out, once, and its plan written down."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.turns import alone_with
from core.clock import bank_day
from core.db.errors import Busy
from core.errors import DomainError
from loans.applying import NotInState, application_of, check_account
from loans.models import (
    ApplicationState,
    Loan,
    LoanApplication,
    LoanState,
)
from loans.plans import first_plan
from loans.quoting import opening_fee
from transactions.branches.outcomes import BranchDown, OutcomeUnknown
from transactions.lending import new_loan_accounts, open_loan, pay_out


class OfferExpired(DomainError):
    """An offer was not accepted in time."""

    code = "loan_offer_expired"
    http_status = 409


@contextmanager
def alone_with_loan(name: object) -> Iterator[None]:
    """Keep others from changing a loan, or an application, meanwhile.

    Raises:
        Busy: somebody else is at it.
    """
    with alone_with({f"loan {name}"}) as is_alone:
        if not is_alone:
            message = _("Something else is being done about this loan; try again in a moment.")
            raise Busy(message)
        yield


def accept_offer(user: int, *, application: UUID, now: datetime) -> Loan:
    """Accept an offer: open the loan and pay it out; accepted twice, it is one loan.

    No transaction may be open.

    Raises:
        UnknownApplication, NotInState, OfferExpired, UnfitAccount
        Refused: the account cannot take the money; nothing was paid out, the offer stands.
        BranchDown, Busy, OutcomeUnknown: the same again tells.
    """
    with alone_with_loan(application):
        offer = application_of(user, application=application)
        loan = Loan.objects.filter(application=offer).select_related("terms").first()
        if loan is None:
            _check_offer(offer, today=bank_day(now))
            check_account(user, offer.account, currency=offer.terms.currency)
            loan = _new_loan(offer, now=now)
        if loan.state == LoanState.OPENING:
            _pay_out(loan)
        return loan


def finish_openings() -> int:
    """Pay out what was accepted when the process died that was at it; return how many."""
    begun = Loan.objects.filter(state=LoanState.OPENING).select_related("terms")
    finished = 0
    for loan in begun:
        with alone_with({f"loan {loan.application_id}"}) as is_alone:
            if is_alone and Loan.objects.filter(pk=loan.pk, state=LoanState.OPENING).exists():
                finished += _is_paid_out(loan)
    return finished


def _is_paid_out(loan: Loan) -> bool:
    try:
        _pay_out(loan)
    except (BranchDown, OutcomeUnknown, Busy):
        raise
    except DomainError:
        # The account does not take it any more: the offer stands, and the customer sees why.
        return False
    return True


def _check_offer(offer: LoanApplication, *, today: date) -> None:
    if offer.state != ApplicationState.OFFERED or offer.offered_until is None:
        message = _("There is no offer to accept.")
        raise NotInState(message)
    if offer.offered_until < today:
        message = _("The offer has expired; please apply again.")
        raise OfferExpired(message)


def _new_loan(offer: LoanApplication, *, now: datetime) -> Loan:
    """Write down that a loan is to be paid out, before anything is."""
    accounts = new_loan_accounts(beside=offer.account, currency=offer.terms.currency)
    return Loan.objects.create(
        number=accounts.number,
        dues=accounts.dues,
        application=offer,
        borrower_id=offer.applicant_id,
        account=offer.account,
        terms=offer.terms,
        amount=offer.amount,
        months=offer.months,
        accepted_at=now,
    )


def _pay_out(loan: Loan) -> None:
    """Pay a loan out and begin it; refused, it is forgotten and the offer stands.

    Raises:
        Refused, BranchDown, Busy, OutcomeUnknown
    """
    try:
        open_loan(loan.accounts)
        pay_out(
            loan.accounts,
            to=loan.account,
            amount=loan.amount,
            fee=opening_fee(loan.terms, loan.amount),
            memo=loan.terms.get_product_display().capitalize(),
            key=f"loan:{loan.number}",
            now=loan.accepted_at,
        )
    except (BranchDown, OutcomeUnknown, Busy):
        raise
    except DomainError:
        Loan.objects.filter(pk=loan.pk, state=LoanState.OPENING).delete()
        raise
    _begin(loan, start=bank_day(loan.accepted_at))


@transaction.atomic
def _begin(loan: Loan, *, start: date) -> None:
    """Write the plan of a loan that was paid out."""
    loan.state, loan.start = LoanState.ACTIVE, start
    loan.save(update_fields=["state", "start"])
    LoanApplication.objects.filter(pk=loan.application_id).update(state=ApplicationState.ACCEPTED)
    first_plan(loan, start=start)
