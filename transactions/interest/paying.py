"""A month's interest: what was earned each day, added up, rounded once and posted.

What an account earned where it lived before is brought to where it lives now. A frozen account's
interest waits until the account is open again at the end of a month.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from core.db.errors import Busy
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import follow, node_of, nodes
from transactions.closing.outcome import Outcome
from transactions.closing.posting import Monthly
from transactions.interest.models import WithheldInterest
from transactions.ledger.accruals import (
    Accrual,
    accruals_left_behind,
    interest_due,
    keep_accruals,
)
from transactions.ledger.codes import Code
from transactions.ledger.posting import Kind

# Accounts move while interest is posted; each round finds those that moved in the one before.
_ROUNDS: Final = 5
# Each page adds up the month anew: few are read, as large as memory likes.
PAGE: Final = 100_000

Refusals = Mapping[int, Code]


def pay_interest(last: date, *, now: datetime) -> Outcome:
    """Post the interest of the month that ends with a day; once to each account.

    All days of the month must have accrued. No transaction may be open.

    Raises:
        BranchDown, OutcomeUnknown: a node does not answer; doing it again is harmless.
        Busy
    """
    for month, accounts in _withheld(before=last.replace(day=1)).items():
        _pay_withheld(month, accounts, now=now)
    wanted = Monthly(kind=Kind.INTEREST, month=last.replace(day=1), last=last)
    refused = _pay(wanted, now=now)
    WithheldInterest.objects.bulk_create(
        [
            WithheldInterest(account=account, month=wanted.month)
            for account, code in refused.items()
            if code == Code.CREDIT_ACCOUNT_FROZEN
        ],
        ignore_conflicts=True,
    )
    return wanted.outcome(left_out=refused)


def _withheld(*, before: date) -> Mapping[date, Collection[int]]:
    """Return the accounts whose interest waits, by month."""
    found: dict[date, list[int]] = defaultdict(list)
    for waiting in WithheldInterest.objects.filter(month__lt=before).order_by("month", "account"):
        found[waiting.month].append(waiting.account)
    return found


def _pay_withheld(month: date, accounts: Collection[int], *, now: datetime) -> None:
    """Post what waited; what can still not be posted waits on."""
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    wanted = Monthly(kind=Kind.INTEREST, month=month, last=last)
    refused = _pay(wanted, now=now, only=accounts)
    over = set(accounts) - set(refused)
    WithheldInterest.objects.filter(month=month, account__in=over).delete()


def _pay(wanted: Monthly, *, now: datetime, only: Collection[int] | None = None) -> Refusals:
    """Post interest on all nodes until none is due, but for accounts that refuse it.

    Raises:
        Busy: accounts moved about all the time.
    """
    gone = _bring_along(wanted)
    for _round in range(_ROUNDS):
        refused: dict[int, Code] = {}
        for node in nodes():
            refused |= _pay_on(node, wanted, now=now, only=only)
        before, gone = gone, _bring_along(wanted)
        # Who went meanwhile may have been on no node when that was asked.
        if gone == before and Code.ACCOUNT_MOVED not in refused.values():
            return refused
    message = "Accounts moved while their interest was posted; please try again."
    raise Busy(message)


def _pay_on(node: str, wanted: Monthly, *, now: datetime, only: Collection[int] | None) -> Refusals:
    """Post what is due on a node, and return who refused it, and why."""
    refused: dict[int, Code] = {}
    after = 0
    while True:
        with silence_named(node):
            dues = interest_due(
                first=wanted.month,
                last=wanted.last,
                prefix=wanted.prefix,
                after=after,
                limit=PAGE,
                only=only,
                using=node,
            )
        refused |= wanted.post(dues, node=node, now=now)
        if len(dues) < PAGE:
            return refused
        after = dues[-1].account


def _bring_along(wanted: Monthly) -> Collection[tuple[str, int]]:
    """Let the nodes on which accounts live know what those earned elsewhere in the month.

    Returns who earned where before going elsewhere.
    """
    gone: set[tuple[str, int]] = set()
    for node in nodes():
        with silence_named(node):
            left = accruals_left_behind(first=wanted.month, last=wanted.last, using=node)
        brought: dict[str, list[Accrual]] = defaultdict(list)
        for number in {one.account for one in left}:
            follow(number)
            gone.add((node, number))
        for one in left:
            brought[node_of(one.account)].append(one)
        for home, accruals in brought.items():
            with silence_named(home):
                keep_accruals(accruals, using=home)
    return gone
