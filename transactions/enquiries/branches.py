"""A branch as staff see it: accounts, cash, the day so far, its node, and who works there."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from django.db.models import Count, Q

from accounts.models import Account, Branch, Role, User
from accounts.selectors import UnknownBranch
from core.clock import bank_day, start_of
from core.db.sql import queries
from core.money import Money
from transactions.branches.asking import ask_everywhere, ask_head_office, refuse_silence_of
from transactions.branches.health import Health, look_at_nodes
from transactions.branches.registry import HEAD_OFFICE, nodes
from transactions.ledger.connection import ledger_cursor
from transactions.parties import Party, parties_of

_QUERIES: Final = queries(Path(__file__).parent / "sql" / "branches.sql")
_MOST_STAFF: Final = 200

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class BranchLine:
    """A branch in the list of all, with how many accounts it opened and customers it has."""

    branch: Branch
    accounts: int
    customers: int


@dataclass(frozen=True, slots=True)
class ProductLine:
    """What all accounts of a kind hold in a currency."""

    product: str
    accounts: int
    balance: Money


@dataclass(frozen=True, slots=True)
class CashLine:
    """What lies in the vault, at a till or in a machine."""

    place: Party
    purpose: str
    balance: Money


@dataclass(frozen=True, slots=True)
class DayLine:
    """How much of a kind has moved in a currency today."""

    kind: str
    transfers: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchEnquiry:
    """A branch. ``health`` is its node's: the head office's where it has none of its own."""

    branch: Branch
    node: str
    health: Health
    products: Sequence[ProductLine]
    cash: Sequence[CashLine]
    day: Sequence[DayLine]
    staff: Sequence[User]
    customers: int


def all_branches() -> list[BranchLine]:
    """Return all branches by number.

    Raises:
        BranchDown: the head office does not answer.
    """
    return _of_head_office(_lines)


def branch_enquiry(code: str, *, now: datetime) -> BranchEnquiry:
    """Return a branch by its code, with the day so far.

    Raises:
        UnknownBranch
        BranchDown: the head office does not answer.
    """
    branch = _of_head_office(lambda source: Branch.objects.using(source).filter(code=code).first())
    if branch is None:
        raise UnknownBranch
    node = code if code in nodes() else HEAD_OFFICE
    since = start_of(bank_day(now))
    return BranchEnquiry(
        branch=branch,
        node=node,
        health=next(health for health in look_at_nodes() if health.node == node),
        products=_products(branch),
        cash=_cash(branch.number),
        day=_day(branch.number, since),
        staff=_of_head_office(lambda source: list(_staff(source, branch)[:_MOST_STAFF])),
        customers=_of_head_office(lambda source: _customers(source, branch)),
    )


def _lines(source: str) -> list[BranchLine]:
    accounts = dict(_counted(Account.objects.using(source)))
    customers = dict(_counted(User.objects.using(source).filter(role=Role.CUSTOMER)))
    return [
        BranchLine(branch, accounts.get(branch.pk, 0), customers.get(branch.pk, 0))
        for branch in Branch.objects.using(source)
    ]


def _counted(rows: Any) -> Any:
    return rows.order_by().values_list("branch").annotate(count=Count("pk"))


def _customers(source: str, branch: Branch) -> int:
    return User.objects.using(source).filter(role=Role.CUSTOMER, branch=branch.pk).count()


def _staff(source: str, branch: Branch) -> Any:
    works = Q(role__in=[Role.EMPLOYEE, Role.ADMIN], branch=branch.pk, is_active=True)
    return User.objects.using(source).filter(works).order_by("full_name", "pk")


def _products(branch: Branch) -> list[ProductLine]:
    numbers: dict[str, list[int]] = {}
    for product, number in _of_head_office(lambda source: _numbers(source, branch)):
        numbers.setdefault(product, []).append(number)
    return [
        ProductLine(product, count, Money(minor, currency))
        for product, mine in sorted(numbers.items())
        for currency, (count, minor) in sorted(_sums(mine).items())
    ]


def _numbers(source: str, branch: Branch) -> list[tuple[str, int]]:
    known = Account.objects.using(source).filter(branch=branch.pk)
    return list(known.order_by().values_list("product", "number"))


def _sums(numbers: list[int]) -> dict[str, tuple[int, int]]:
    counts: Counter[str] = Counter()
    sums: Counter[str] = Counter()
    for row in ask_everywhere(lambda source: _fetch(source, "sums", {"numbers": numbers})):
        counts[row.currency] += row.accounts
        sums[row.currency] += row.balance
    return {currency: (counts[currency], sums[currency]) for currency in counts}


def _cash(branch: int) -> list[CashLine]:
    rows = ask_everywhere(lambda source: _fetch(source, "cash", {"branch": branch}))
    places = parties_of([row.number for row in rows])
    return [
        CashLine(places[row.number], row.purpose, Money(row.balance, row.currency)) for row in rows
    ]


def _day(branch: int, since: datetime) -> list[DayLine]:
    counts: Counter[tuple[str, str]] = Counter()
    amounts: Counter[tuple[str, str]] = Counter()
    asked = {"branch": branch, "since": since}
    for row in ask_everywhere(lambda source: _fetch(source, "transfers", asked)):
        counts[row.kind, row.currency] += row.transfers
        amounts[row.kind, row.currency] += row.amount
    return [
        DayLine(kind, count, Money(amounts[kind, currency], currency))
        for (kind, currency), count in sorted(counts.items())
    ]


def _of_head_office(ask: Callable[[str], Answer]) -> Answer:
    """Return what the head office, or its copy, answers.

    Raises:
        BranchDown: neither does.
    """
    found = ask_head_office(ask)
    refuse_silence_of(HEAD_OFFICE)
    return cast("Answer", found)


def _fetch(source: str, name: str, parameters: dict[str, Any]) -> list[Any]:
    with ledger_cursor(source) as cursor:
        return cursor.execute(_QUERIES[name], parameters).fetchall()
