"""What is not in an account's history yet: money set aside, and payments to come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from core.clock import bank_day
from core.money import Money
from transactions.branches.asking import ask_for_account
from transactions.ledger import reads
from transactions.ledger.reads import LAST_ID, Hold
from transactions.parties import Party, parties_of
from transactions.payments.upcoming import upcoming_payments
from transactions.selectors import AccountView
from transactions.statements.forecast import DAYS_AHEAD, Forecast, forecast_of

_MOST_HOLDS: Final = 20


@dataclass(frozen=True, slots=True)
class HoldView:
    """Money set aside for a payee."""

    payee: Party
    amount: Money
    memo: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What waits on an account; ``forecast`` is None while nobody knows what comes."""

    holds: Sequence[HoldView]
    forecast: Forecast | None
    payees: Mapping[int, Party]


def pending_on(user: int, account: AccountView, *, now: datetime) -> Pending:
    """Return what waits on a person's account."""
    upcoming = upcoming_payments(user, until=bank_day(now) + DAYS_AHEAD, now=now)
    forecast = None if upcoming is None else forecast_of(account, upcoming)
    holds = _holds(account) if account.held.minor else []
    payees = {one.credit for one in forecast.payments} if forecast else set()
    parties = parties_of(payees | {hold.payee for hold in holds})
    return Pending(
        holds=[
            HoldView(
                payee=parties[hold.payee],
                amount=Money(hold.amount, hold.currency),
                memo=hold.memo or "",
                expires_at=hold.expires_at,
            )
            for hold in holds
        ],
        forecast=forecast,
        payees=parties,
    )


def _holds(account: AccountView) -> list[Hold]:
    """Return the open holds of an account, the newest first."""
    found = ask_for_account(
        account.number,
        lambda node: reads.holds_of(
            [account.number], before=LAST_ID, limit=_MOST_HOLDS, state="open", using=node
        ),
    )
    return [hold for hold in found if hold.account == account.number]
