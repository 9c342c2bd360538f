"""Closing an account together with what it has earned: posted, paid out, and closed, all at once.

The ledger does it in one transaction on the account's node, so the account that is paid must be
there, too. Each month has the reference that its monthly posting would have, so it is paid once,
whichever of the two comes first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.utils.translation import gettext as _

from accounts.models import Account, AccountStatus, Holding, Rights
from core.clock import bank_day, start_of
from core.errors import DomainError
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import branch_number_of, has_moved, node_of, nodes
from transactions.chart import Place, open_chart
from transactions.closing.models import BankDay, ClosingStep
from transactions.closing.posting import Monthly
from transactions.closing.steps import ACCRUALS
from transactions.governing import change_where_it_lives
from transactions.interest.earned import (
    days_until,
    earned_until_now,
    first_unpaid,
    months_waiting,
)
from transactions.ledger.accruals import MonthToPay, accruals_of, close_account, keep_accruals
from transactions.ledger.posting import Kind
from transactions.products.models import ProductTerms

_ONE_DAY: Final = timedelta(days=1)


class InterestDue(DomainError):
    """An account has earned something, and nobody has said to which account that is paid."""

    code = "interest_due"


class DayNotClosed(DomainError):
    """What an account earned yesterday is not counted yet."""

    code = "day_not_closed"
    http_status = 409

    def __init__(self, day: date) -> None:
        super().__init__(
            _(
                "What the account earned on %(day)s is not counted yet, and would be lost. "
                "Try again once the bank has closed that day."
            )
            % {"day": day}
        )


class PayoutNotOwners(DomainError):
    """Interest is paid out to an account of one of the owners alone."""

    code = "payout_not_owners"


class PayoutElsewhere(DomainError):
    """The account to pay interest out to is on another node."""

    code = "payout_at_other_branch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """A wish to close an account, and to have its interest paid to another one, if there is any.

    The ``key`` makes it safe to repeat.
    """

    account: int
    payout: int | None
    client: int
    key: str
    reason: str


def close_with_interest(wanted: Closing, *, now: datetime) -> None:
    """Close an account for good and pay out what it has earned until yesterday: both, or neither.

    The account must be at zero besides, with nothing on hold. Under the same key it is done once.
    No transaction may be open on its node.

    Raises:
        Refused: with the reason; nothing was changed.
        InterestDue: the sum is named; nothing was changed.
        DayNotClosed, PayoutNotOwners, PayoutElsewhere: nothing was changed.
        Busy: nothing was changed; the same request may be sent again.
        BranchDown: nothing was changed.
        OutcomeUnknown: its branch fell silent meanwhile; the same request sent again tells.
    """
    account = Account.objects.get(pk=wanted.account)
    # What was closed under this key before is answered again, whatever has happened since.
    if account.status != AccountStatus.CLOSED:
        _check_counted(account, now)
        _check_payout(account, wanted.payout, now)
    months = _months(account.pk, now)

    def close(node: str) -> None:
        _bring_along(account.pk, now, home=node)
        bank = open_chart(branch=branch_number_of(node), currency=account.currency, using=node)
        close_account(
            account.pk,
            payout=wanted.payout,
            payout_memo=f"Interest of account {account.pk}, closed",
            expense=bank.number(Place.INTEREST_EXPENSE),
            months=months,
            until=start_of(bank_day(now) + _ONE_DAY),
            client=wanted.client,
            key=wanted.key,
            reason=wanted.reason,
            using=node,
        )

    change_where_it_lives(account.pk, close)


def _check_counted(account: Account, now: datetime) -> None:
    """Check that all days that are over count in what an account has earned.

    Raises:
        DayNotClosed
    """
    yesterday = bank_day(now) - _ONE_DAY
    # Before the bank closes its first day nothing earns.
    if not BankDay.objects.exists() or bank_day(account.opened_at) > yesterday:
        return
    terms = ProductTerms.objects.filter(product=account.product, currency=account.currency)
    if not terms.filter(rate_ppm__gt=0).exists():
        return
    if not ClosingStep.objects.filter(day=yesterday, name=ACCRUALS).exists():
        raise DayNotClosed(yesterday)


def _check_payout(account: Account, payout: int | None, now: datetime) -> None:
    """Check that what an account has earned can be paid out.

    Raises:
        InterestDue, PayoutNotOwners, PayoutElsewhere
        BranchDown: a branch where it has lived does not answer.
    """
    if payout is None:
        earned = earned_until_now(account.pk, currency=account.currency, now=now)
        if earned.amount.minor:
            message = _(
                "The account has earned %(interest)s. Say to which other account of its owner that "
                "is paid out."
            )
            told = {"interest": f"{earned.amount.decimal} {earned.amount.currency}"}
            raise InterestDue(message % told, field="payout_account")
        return
    owners = Holding.objects.filter(account=account, rights=Rights.OWNER).values("user")
    theirs = Holding.objects.filter(account=payout, rights=Rights.OWNER, user__in=owners)
    if not theirs.exists():
        message = _("Interest is paid out to an account that belongs to an owner of this one.")
        raise PayoutNotOwners(message, field="payout_account")
    if node_of(payout) != node_of(account.pk):
        message = _(
            "The two accounts are at different branches. Name one at the same branch, or close "
            "the account once the month's interest has been paid in."
        )
        raise PayoutElsewhere(message, field="payout_account")


def _months(number: int, now: datetime) -> Sequence[MonthToPay]:
    """Return the months of which something may not have been posted, this one included."""
    month = first_unpaid(months_waiting(number), today=bank_day(now))
    found = []
    while month <= bank_day(now):
        following = (month + timedelta(days=31)).replace(day=1)
        posting = Monthly(kind=Kind.INTEREST, month=month, last=following - _ONE_DAY)
        reference = f"{posting.prefix}{number}"
        found.append(MonthToPay(month, reference, posting.memo, min(posting.ended_at, now)))
        month = following
    return found


def _bring_along(number: int, now: datetime, *, home: str) -> None:
    """Let an account's node know what it earned elsewhere."""
    if not has_moved(number):
        return
    today = bank_day(now)
    days = days_until(today, first=first_unpaid(months_waiting(number), today=today))
    for node in nodes():
        with silence_named(node):
            left = accruals_of(number, days=days, using=node) if node != home else []
        with silence_named(home):
            keep_accruals(left, using=home)
