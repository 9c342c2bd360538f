"""Who holds an account: its owners, and those whom they let act for them."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import User
from transactions.branches.asking import ask_head_office
from transactions.branches.following import follow_accounts
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import node_of
from transactions.ledger.accounts import MOVED, standings_of
from transactions.ledger.codes import Code, Refused
from transactions.selectors import account_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderView:
    """Somebody who holds an account; without a name while the head office is silent."""

    user_id: int | None
    full_name: str
    rights: str


def holders_of_account(user: int, *, number: int) -> list[HolderView]:
    """Return who holds an account of a person's, owners first, as its branch says.

    Raises:
        Refused: the person has no such account.
        BranchDown: its branch does not answer.
    """
    account_of(user, number=number)
    held = follow_accounts(number, work=lambda: _held(number))
    known = ask_head_office(lambda source: User.objects.using(source).in_bulk(list(held))) or {}
    return [
        HolderView(
            user_id=known[holder].number if holder in known else None,
            full_name=known[holder].full_name if holder in known else "",
            rights=rights,
        )
        for holder, rights in sorted(held.items(), key=lambda pair: (pair[1] != "owner", pair[0]))
    ]


def _held(number: int) -> Mapping[int, str]:
    node = node_of(number)
    with silence_named(node):
        standing = standings_of([number], using=node).get(number)
    if standing is None or standing.status == MOVED:
        raise Refused(Code.ACCOUNT_MOVED)
    return standing.holders
