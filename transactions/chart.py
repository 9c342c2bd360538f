"""The chart of accounts: the bank's own accounts of one branch in one currency.

Their numbers are made of branch, currency and place, so that nothing has to be looked up to post
against them.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from accounts.numbers import bank_account_number
from core.money import currency_named
from transactions.ledger.accounts import (
    CREDIT_NORMAL,
    DEBIT_NORMAL,
    Opening,
    Purpose,
    open_account,
)
from transactions.ledger.posting import BANK_CLIENT


class Place(IntEnum):
    """A place in the chart. Tills and machines are counted on from theirs.

    ``CLEARING_WITH`` another node is counted on by the number of its branch.
    """

    VAULT = 1
    NOSTRO = 2
    CLEARING = 3
    FEE_INCOME = 10
    INTEREST_INCOME = 11
    INTEREST_EXPENSE = 12
    ROUNDING = 13
    SUSPENSE = 14
    IMPAIRMENT = 15
    RECOVERY_INCOME = 16
    TILL = 100
    MACHINE = 200
    CLEARING_WITH = 1_000


@dataclass(frozen=True, slots=True)
class _Entry:
    purpose: Purpose
    side: Literal[1, -1]
    running: bool = False


_CHART: Final = {
    Place.VAULT: _Entry(Purpose.VAULT, DEBIT_NORMAL),
    Place.NOSTRO: _Entry(Purpose.NOSTRO, DEBIT_NORMAL),
    Place.CLEARING: _Entry(Purpose.CLEARING, CREDIT_NORMAL),
    Place.FEE_INCOME: _Entry(Purpose.FEE_INCOME, CREDIT_NORMAL),
    Place.INTEREST_INCOME: _Entry(Purpose.INTEREST_INCOME, CREDIT_NORMAL),
    Place.INTEREST_EXPENSE: _Entry(Purpose.INTEREST_EXPENSE, DEBIT_NORMAL),
    Place.ROUNDING: _Entry(Purpose.ROUNDING, DEBIT_NORMAL),
    Place.SUSPENSE: _Entry(Purpose.SUSPENSE, CREDIT_NORMAL),
    Place.IMPAIRMENT: _Entry(Purpose.IMPAIRMENT, DEBIT_NORMAL),
    Place.RECOVERY_INCOME: _Entry(Purpose.RECOVERY_INCOME, CREDIT_NORMAL),
    Place.TILL: _Entry(Purpose.TILL, DEBIT_NORMAL, running=True),
    Place.MACHINE: _Entry(Purpose.MACHINE, DEBIT_NORMAL, running=True),
}


@dataclass(frozen=True, slots=True)
class BankAccounts:
    """Numbers of the bank's own accounts of one branch in one currency."""

    branch: int
    currency: str

    def number(self, place: Place, *, nth: int = 0) -> int:
        """Return the number of an account; ``nth`` counts tills and machines from 0."""
        return bank_account_number(
            branch=self.branch, currency=currency_named(self.currency).number, place=place + nth
        )


def place_of(number: int) -> Place:
    """Return the place of one of the bank's own accounts in the chart, by its number."""
    place = number // 10 % 10**4
    return max(known for known in Place if known <= place)


def open_chart(*, branch: int, currency: str, using: str = "default") -> BankAccounts:
    """Open what is missing of the chart of one branch in one currency, with one till and machine.

    Tills and machines have a floor of zero: nobody pays out cash that is not there. The other
    accounts are summed, busy and without a floor.
    """
    bank = BankAccounts(branch, currency)
    for place, entry in _CHART.items():
        opening = Opening(
            number=bank.number(place),
            currency=currency,
            purpose=entry.purpose,
            side=entry.side,
            running=entry.running,
            overdraft_limit=0 if entry.running else None,
        )
        open_account(opening, client=BANK_CLIENT, using=using)
    return bank
