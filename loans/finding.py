"""Loans by their numbers, and what is said where there is none, or nothing to be done about it."""

from django.utils.translation import gettext as _

from core.errors import DomainError
from loans.models import Loan, LoanState


class UnknownLoan(DomainError):
    """There is no such loan of the person's."""

    code = "unknown_loan"
    http_status = 404

    def __init__(self) -> None:
        super().__init__(_("There is no such loan."))


class LoanNotRunning(DomainError):
    """Nothing is owed on a loan: it is repaid or written off, or not paid out yet."""

    code = "loan_not_running"
    http_status = 409

    def __init__(self) -> None:
        super().__init__(_("Nothing is owed on this loan."))


def loan_of(user: int, *, number: int) -> Loan:
    """Return one of a person's loans.

    Raises:
        UnknownLoan
    """
    found = Loan.objects.filter(pk=number, borrower=user).select_related("terms").first()
    if found is None:
        raise UnknownLoan
    return found


def running_loan(number: int) -> Loan:
    """Return a loan that was paid out and is not repaid.

    Raises:
        UnknownLoan, LoanNotRunning
    """
    found = Loan.objects.filter(pk=number).select_related("terms").first()
    if found is None:
        raise UnknownLoan
    if found.state != LoanState.ACTIVE:
        raise LoanNotRunning
    return found
