"""The features of an application to this bank, from what moved on the account that would repay.

The application page, the what-if page and the training on the bank's own loans all come here.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from accounts.models import Holding
from core.clock import bank_day, start_of
from core.money import Money
from loans.models import LoanApplication, LoanTerms
from loans.quoting import borrowing_by
from loans.risk.features import Application, Features, Movement, features_of
from loans.schedule import instalment_amount
from transactions.branches.asking import refuse_silence_of
from transactions.branches.registry import nodes
from transactions.selectors import entries_of
from transactions.statements.filters import WantedEntries

# Years of an account that is much used; models were trained on no more.
_MOST_MOVEMENTS: Final = 2_000
_AFTER_ALL: Final = UUID(int=(1 << 128) - 1)
_EARNED: Final = "interest"
_PENALTY: Final = "penalty_interest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A loan that somebody would like, by which terms, and the account that would repay it."""

    account: int
    terms: LoanTerms
    amount: Money
    months: int


def wish_of(application: LoanApplication) -> Wish:
    """Return what an application wishes."""
    return Wish(
        account=application.account,
        terms=application.terms,
        amount=application.money,
        months=application.months,
    )


def day_of(application: LoanApplication) -> date:
    """Return the day on which an application was sent in."""
    return bank_day(application.submitted_at or application.created_at)


def features_of_wish(wish: Wish, *, on: date) -> Features:
    """Return the features of a wish as of a day, whatever has moved since.

    Raises:
        NoHistory: nothing has moved on the account before the day.
        BranchDown: a branch on which the account has lived does not answer.
    """
    borrowing = borrowing_by(wish.terms, principal=wish.amount.minor, months=wish.months)
    return features_of(
        Application(
            applied_on=on,
            requested=wish.amount.minor,
            offered=wish.amount.minor,
            months=wish.months,
            instalment=instalment_amount(borrowing) + wish.terms.instalment_fee,
            rate_ppm=wish.terms.rate_ppm,
            second_holder=Holding.objects.filter(account=wish.account).count() > 1,
            movements=_movements(wish.account, before=on),
        )
    )


def _movements(account: int, *, before: date) -> list[Movement]:
    """Return what moved before a day, by when it happened, the oldest first."""
    wanted = WantedEntries(value_until=start_of(before))
    found = entries_of(account, before=_AFTER_ALL, limit=_MOST_MOVEMENTS, wanted=wanted)
    refuse_silence_of(*nodes())
    movements = [
        Movement(
            day=bank_day(entry.event_at),
            amount=entry.change,
            balance=entry.balance_after or 0,
            earned=entry.kind == _EARNED,
            penalty=entry.kind == _PENALTY,
        )
        for entry in reversed(found)
    ]
    return sorted(movements, key=lambda movement: movement.day)
