"""What staff see of all customers' accounts: whose they are, and what is in them."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import Account, Holding
from transactions.branches.asking import ask_everywhere
from transactions.ledger import reads
from transactions.ledger.accounts import MOVED
from transactions.ledger.codes import Code, Refused
from transactions.ledger.reads import Balance


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFilter:
    """Which accounts: all that is None is left open. ``holder`` is a user ID."""

    branch: str | None = None
    status: str | None = None
    product: str | None = None
    currency: str | None = None
    holder: int | None = None


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """An account, who holds it, and what is in it; None: its branch does not answer."""

    identity: Account
    holders: Sequence[Holding]
    balance: Balance | None


def all_accounts(wanted: AccountFilter, *, after: int, limit: int) -> list[AccountOverview]:
    """Return up to ``limit`` customers' accounts by number, those after a number."""
    asked = {
        "branch__code": wanted.branch,
        "status": wanted.status,
        "product": wanted.product,
        "currency": wanted.currency,
        "holdings__user__number": wanted.holder,
    }
    found = Account.objects.filter(
        pk__gt=after, **{name: value for name, value in asked.items() if value is not None}
    )
    return _overviews(list(found.select_related("branch").order_by("pk")[:limit]))


def account_overview(number: int) -> AccountOverview:
    """Return one customer's account.

    Raises:
        Refused: there is no such account.
    """
    found = list(Account.objects.select_related("branch").filter(pk=number))
    if not found:
        raise Refused(Code.UNKNOWN_ACCOUNT)
    return _overviews(found)[0]


def _overviews(accounts: Sequence[Account]) -> list[AccountOverview]:
    numbers = [account.number for account in accounts]
    held = ask_everywhere(lambda source: reads.balances(numbers, using=source)) if numbers else []
    balances = {balance.number: balance for balance in held if balance.status != MOVED}
    holders: dict[int, list[Holding]] = {}
    for holding in Holding.objects.filter(account__in=numbers).select_related("user"):
        holders.setdefault(holding.account_id, []).append(holding)
    return [
        AccountOverview(account, holders.get(account.number, []), balances.get(account.number))
        for account in accounts
    ]
