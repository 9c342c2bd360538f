"""Head office and branches agree about customers' accounts.

Status and holders of an account are true on the node where it lives; the head office has a copy. A
copy is never written from what somebody was asked to do, but from what the node says: under a lock
of the copy, the node is read again. So the last one to copy has read last, and copying twice, in
any order, from as many processes as like, ends in the same.
"""

import time
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from django.db import transaction

from accounts.models import Account, Branch, Holding, User
from transactions.branches import registry
from transactions.branches.registry import HEAD_OFFICE, has_moved, node_of, nodes
from transactions.ledger.accounts import (
    MOVED,
    CustomerOpening,
    Standing,
    changed_accounts,
    customers_after,
    openings_of,
    standings_of,
)
from transactions.ledger.codes import Code, Refused
from transactions.ledger.invariants import Finding
from transactions.notices import tell_of_status

READER: Final = "head_office"
_PAGE: Final = 1_000
# `manage.py watch` copies what a process that died did not; sooner than this.
_PATIENCE_SECONDS: Final = 4.0
_GLANCE_SECONDS: Final = 0.5
_BRANCH_DIGITS: Final = 10**9


def copy_account(number: int) -> None:
    """Bring the head office's copy of an account up to what its node says.

    Locks the copy. An account that was opened without an identity is none of a customer's.

    Raises:
        Refused: the account has moved, and it is not known yet where to.
    """
    with transaction.atomic(using=HEAD_OFFICE):
        copies = Account.objects.select_for_update().filter(pk=number)
        account = copies.first() or (copies.first() if _add_identity(number) else None)
        if account is None:
            return
        standing = _standings([number]).get(number)
        if standing is None:
            return
        if standing.status == MOVED:
            raise Refused(Code.ACCOUNT_MOVED)
        _write(account, standing)


def copy_changes(*, node: str) -> None:
    """Copy what changed on a node since the last time, as far as nobody did so yet.

    It finds what a process left that died between node and head office. Takes turns with others.
    """
    with changed_accounts(READER, using=node) as numbers:
        for page in _pages(numbers):
            for number in _differences(page):
                copy_account(number)


def check_copies() -> list[Finding]:
    """Return the accounts about which head office and branches do not agree.

    Whoever changes an account now has some seconds to tell the head office.
    """
    patience = time.monotonic() + _PATIENCE_SECONDS
    found = {
        number: difference
        for page in _all_numbers()
        for number, difference in _differences(page).items()
    }
    while found and time.monotonic() < patience:
        time.sleep(_GLANCE_SECONDS)
        found = _differences(found)
    return [
        Finding("head_office_and_branches_agree", number, detail)
        for number, detail in sorted(found.items())
    ]


def _all_numbers() -> Iterator[Sequence[int]]:
    """Yield all customers' accounts in pages, those of the nodes and those of the head office."""
    for node in nodes():
        last = 0
        while page := customers_after(last, limit=_PAGE, using=node):
            yield page
            last = page[-1]
    copies = Account.objects.order_by("pk").values_list("pk", flat=True)
    last = 0
    while page := list(copies.filter(pk__gt=last)[:_PAGE]):
        yield page
        last = page[-1]


def _pages(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + _PAGE] for start in range(0, len(numbers), _PAGE))


def _differences(numbers: Collection[int]) -> dict[int, str]:
    """Tell of each account on which the two sides do not agree what they say."""
    truths, copies = _standings(numbers), _copies(numbers)
    nameless = [number for number in numbers if number in truths and number not in copies]
    missing = _openings(nameless)
    found = dict.fromkeys(missing, "the head office does not know the account")
    for number, copy in copies.items():
        truth = truths.get(number)
        if truth is None:
            found[number] = f"its node {node_of(number)} does not know the account"
        elif truth != copy:
            found[number] = f"its node says {truth}, the head office {copy}"
    return found


def _standings(numbers: Collection[int]) -> dict[int, Standing]:
    """Return how accounts stand where they live."""
    found = _ask(numbers)
    left = [number for number, standing in found.items() if standing.status == MOVED]
    if left:
        registry.refresh()
        found.update(_ask(left))
    return found


def _ask(numbers: Collection[int]) -> dict[int, Standing]:
    homes: dict[str, list[int]] = {}
    for number in numbers:
        homes.setdefault(node_of(number), []).append(number)
    return {
        number: standing
        for node, theirs in homes.items()
        for number, standing in standings_of(theirs, using=node).items()
    }


def _copies(numbers: Collection[int]) -> dict[int, Standing]:
    """Return how accounts stand by the head office's copies."""
    statuses = Account.objects.filter(pk__in=numbers).values_list("pk", "status")
    holders: dict[int, dict[int, str]] = {}
    held = Holding.objects.filter(account__in=numbers).values_list("account", "user", "rights")
    for number, user, rights in held:
        holders.setdefault(number, {})[user] = rights
    return {number: Standing(status, holders.get(number, {})) for number, status in statuses}


def _openings(numbers: Collection[int]) -> dict[int, CustomerOpening]:
    """Return how accounts were opened; an account that has moved, on another node than its own."""
    homes: dict[str, list[int]] = {}
    for number in numbers:
        for node in nodes() if has_moved(number) else [node_of(number)]:
            homes.setdefault(node, []).append(number)
    return {
        opening.number: opening
        for node, theirs in homes.items()
        for opening in openings_of(theirs, using=node)
    }


def _add_identity(number: int) -> bool:
    """Let the head office know an account as it was opened; False for none of a customer's."""
    opening = _openings([number]).get(number)
    if opening is None:
        return False
    Account.objects.get_or_create(
        number=number,
        defaults={
            "branch": Branch.objects.get(number=number // _BRANCH_DIGITS),
            "product": opening.product,
            "currency": opening.currency,
            "name": opening.name,
            "opened_at": opening.opened_at,
            "external_reference": opening.external_reference,
        },
    )
    return True


def _write(account: Account, standing: Standing) -> None:
    """Write a copy whose lock is held. Holders that are no people of the bank stay a difference."""
    if account.status != standing.status:
        Account.objects.filter(pk=account.pk).update(status=standing.status)
        tell_of_status(account.pk, status=standing.status, people=list(standing.holders))
    Holding.objects.filter(account=account).exclude(user__in=standing.holders).delete()
    people = User.objects.filter(pk__in=standing.holders).values_list("pk", flat=True)
    Holding.objects.bulk_create(
        [Holding(account=account, user_id=user, rights=standing.holders[user]) for user in people],
        update_conflicts=True,
        update_fields=["rights"],
        unique_fields=["account", "user"],
    )
