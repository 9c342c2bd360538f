"""What will be in accounts, by what is going to be paid: pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from core.money import Money
from transactions.payments.upcoming import Upcoming
from transactions.selectors import AccountView

DAYS_AHEAD: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What an account is going to hold.

    ``short_on`` is the first day on which a payment would find too little to spend, and
    ``short_of`` how much is missing then.
    """

    payments: Sequence[Upcoming]
    balance: Money
    short_on: date | None
    short_of: Money | None


def forecast_of(account: AccountView, upcoming: Collection[Upcoming]) -> Forecast:
    """Return what an account will hold once the payments to come are made, the next one first."""
    payments = [one for one in upcoming if account.number in {one.debit, one.credit}]
    balance, spare = account.balance.minor, account.available
    short: tuple[date, int] | None = None
    available = 0 if spare is None else spare.minor
    for day in sorted({one.day for one in payments}):
        change = sum(_change(one, account.number) for one in payments if one.day == day)
        balance, available = balance + change, available + change
        if short is None and spare is not None and change < 0 and available < 0:
            short = day, -available
    currency = account.currency
    return Forecast(
        payments=payments,
        balance=Money(balance, currency),
        short_on=short and short[0],
        short_of=short and Money(short[1], currency),
    )


def _change(payment: Upcoming, number: int) -> int:
    coming = payment.amount.minor if payment.credit == number else 0
    return coming - (payment.amount.minor if payment.debit == number else 0)
