"""What a person's accounts may still spend today: for pages, before anybody types."""

from dataclasses import dataclass
from datetime import datetime

from core.clock import bank_day
from core.money import Money
from transactions.branches.asking import ask_everywhere
from transactions.ledger.accounts import MOVED, Limits
from transactions.ledger.payments import limits_held_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What an account may still spend today, and at once; None: no bound."""

    today: Money | None
    at_once: Money | None


def remaining_of(user: int, *, now: datetime) -> dict[int, Remaining]:
    """Return what each of a person's accounts may still spend, of nodes that answer."""
    day = bank_day(now)
    found = ask_everywhere(lambda node: limits_held_by(user, day=day, using=node))
    # Where an account has lived before, its row stays behind.
    return {limits.number: _remaining(limits) for limits in found if limits.status != MOVED}


def _remaining(limits: Limits) -> Remaining:
    daily, once = limits.daily_limit, limits.transfer_limit
    left = None if daily is None else max(daily - limits.spent, 0)
    return Remaining(
        today=None if left is None else Money(left, limits.currency),
        at_once=None if once is None else Money(once, limits.currency),
    )
