"""Loans' numbers as they stand in addresses."""

from core.errors import DomainError
from loans.finding import UnknownLoan
from transactions.api.accounts import known_account_number


def known_loan_number(text: str) -> int:
    """Read a loan's number of an address; a mistyped one is no loan's.

    Raises:
        UnknownLoan
    """
    try:
        return known_account_number(text)
    except DomainError as error:
        raise UnknownLoan from error
