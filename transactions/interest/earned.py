"""What an account's product gives and costs, what it has earned, and what of that was posted."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final
from uuid import UUID

from core.clock import bank_day
from core.money import Money
from transactions.branches.asking import ask_head_office_itself, ask_homes_themselves
from transactions.branches.outcomes import BranchDown
from transactions.branches.registry import node_of
from transactions.closing.posting import Monthly
from transactions.interest.models import WithheldInterest
from transactions.ledger.accruals import Accrual, accruals_of
from transactions.ledger.posting import Kind
from transactions.ledger.reads import LAST_ID, Entry, EntryFilter
from transactions.products.terms import TermsOfAccount, terms_of
from transactions.selectors import AccountView, account_of, entries_of

_POSTINGS: Final = 12
_INTEREST: Final = EntryFilter(kind=Kind.INTEREST)
# Balances times millionths a year, for as many days as a year has.
_DIVISOR: Final = 365 * 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestPosting:
    """Interest that was paid into an account, for the month that ends with ``event_at``."""

    transfer_id: UUID
    amount: Money
    event_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """What was earned and is not posted yet; ``until`` is the last day that counts in it."""

    amount: Money
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTerms:
    """What an account gives and costs; ``known`` and ``earned`` are None while nobody knows."""

    account: AccountView
    known: TermsOfAccount | None
    earned: Earned | None
    postings: Sequence[InterestPosting]


def terms_of_account(user: int, *, number: int, now: datetime) -> AccountTerms:
    """Return what a person's account gives and costs, and its last postings of interest.

    Raises:
        Refused: the person has no such account.
        BranchDown: its branch does not answer.
    """
    account, today = account_of(user, number=number), bank_day(now)
    entries = entries_of(number, before=LAST_ID, limit=_POSTINGS, wanted=_INTEREST)
    asked = ask_head_office_itself(
        lambda _node: (terms_of(number, day=today), months_waiting(number))
    )
    known, waiting = asked or (None, None)
    earned = None if waiting is None else _earned(number, account.currency, entries, waiting, today)
    return AccountTerms(
        account=account,
        known=known,
        earned=earned,
        postings=[
            InterestPosting(
                transfer_id=entry.transfer_id,
                amount=Money(entry.change, entry.currency),
                event_at=entry.event_at,
            )
            for entry in entries
        ],
    )


def earned_until_now(number: int, *, currency: str, now: datetime) -> Earned:
    """Return what any customer's account has earned and was not paid, as its closing pays it.

    Raises:
        BranchDown: a branch where it has lived does not answer.
    """
    entries = entries_of(number, before=LAST_ID, limit=_POSTINGS, wanted=_INTEREST)
    found = _earned(number, currency, entries, months_waiting(number), bank_day(now))
    if found is None:
        raise BranchDown(node_of(number))
    return found


def months_waiting(number: int) -> list[date]:
    """Return the months whose interest waits until the account is open again."""
    found = WithheldInterest.objects.filter(account=number).order_by("month")
    return list(found.values_list("month", flat=True))


def first_unpaid(waiting: Sequence[date], *, today: date) -> date:
    """Return the first day of the first month of which something may not have been posted."""
    last_month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    return min([last_month, *waiting])


def days_until(today: date, *, first: date) -> list[date]:
    """Return the days from one to today."""
    return [first + timedelta(days=since) for since in range((today - first).days + 1)]


def _earned(
    number: int,
    currency: str,
    entries: Collection[Entry],
    waiting: Sequence[date],
    today: date,
) -> Earned | None:
    """Add up what is not posted, each month rounded once, as it will be when it is posted."""
    days = days_until(today, first=first_unpaid(waiting, today=today))
    found = ask_homes_themselves(number, lambda node: accruals_of(number, days=days, using=node))
    if found is None:
        return None
    posted = {entry.reference for entry in entries}
    # What came along from where the account lived before is in both places.
    unposted = [
        one for one in {one.day: one for one in found}.values() if _reference(one) not in posted
    ]
    minor = sum(_rounded_by_month(unposted))
    until = max((one.day for one in unposted), default=None)
    return Earned(amount=Money(minor, currency), until=until)


def _reference(accrual: Accrual) -> str:
    month = Monthly(kind=Kind.INTEREST, month=accrual.day.replace(day=1), last=accrual.day)
    return f"{month.prefix}{accrual.account}"


def _rounded_by_month(accruals: Collection[Accrual]) -> list[int]:
    months: Counter[str] = Counter()
    for one in accruals:
        months[_reference(one)] += one.balance * one.rate_ppm
    return [round(Fraction(units, _DIVISOR)) for units in months.values()]
