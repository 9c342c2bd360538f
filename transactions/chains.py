"""Chains of a batch, linked transfers or one alone, whose accounts live elsewhere than expected.

A chain is posted where its accounts live by now, once, under a key of its own. Its answer stands
for good, whether it was made or refused: it is kept where the paying accounts live, and moves on
with them. So it is looked for there first: by now the same chain may be another posting.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from core.db.reading import note_used
from core.errors import DomainError
from transactions.branches.batches import post_batch_across
from transactions.branches.following import follow_accounts
from transactions.branches.outcomes import silence_named
from transactions.branches.registry import node_of
from transactions.ledger.chains import chain_answered, post_chain
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import BatchReceipt, Order, Transfer
from transactions.selectors import is_settling

# No item of a chain is to blame: the ledger refuses none of them, and all for the others' sake.
_APART: Final = Code.LINKED_ITEM_REFUSED


class LinkedAcrossBranches(DomainError):
    """Linked transfers are of several branches, which cannot make them one posting."""

    code = "linked_across_branches"


def post_moved(transfers: Sequence[Transfer], *, order: Order) -> BatchReceipt:
    """Post a chain where its accounts live; the same answer however often, and wherever they go.

    The caller knows that it is the same chain under the same key. No transaction may be open.

    Raises:
        LinkedAcrossBranches: the accounts live apart; for good.
        BranchDown, Busy, OutcomeUnknown: it is not known what comes of it; ask again.
    """
    numbers = {number for each in transfers for number in (each.debit, each.credit)}
    receipt = follow_accounts(*numbers, work=lambda: _post_or_recall(transfers, order))
    if set(receipt.refusals.values()) == {_APART}:
        message = "The accounts of linked transfers live at several branches by now."
        raise LinkedAcrossBranches(message)
    return receipt


def _post_or_recall(transfers: Sequence[Transfer], order: Order) -> BatchReceipt:
    # Before anything is looked for: whoever moves from here on takes the answer along.
    ways = {(node_of(each.debit), node_of(each.credit)) for each in transfers}
    sources = {source for source, _destination in ways}
    earlier = _recalled(len(transfers), order, sources)
    if earlier is not None:
        return earlier
    try:
        return _post(transfers, order, ways)
    except Refused as refusal:
        # Sent twice at once, it may have been posted in between, in another way.
        is_used = refusal.reason is Code.KEY_REUSED
        earlier = _recalled(len(transfers), order, sources) if is_used else None
        if earlier is None:
            raise
        return earlier


def _recalled(items: int, order: Order, sources: Collection[str]) -> BatchReceipt | None:
    """Return what was answered before, from where the paying accounts live; None: nothing.

    Raises:
        BranchDown, OutcomeUnknown: one of these does not tell.
    """
    for source in sources:
        with silence_named(source):
            found = chain_answered(items=items, order=order, using=source)
        if found is not None:
            is_made = not found.refusals
            return replace(found, settling=is_made and is_settling(found.first_id))
    return None


def _post(
    transfers: Sequence[Transfer], order: Order, ways: Collection[tuple[str, str]]
) -> BatchReceipt:
    (source, destination), *others = sorted(ways)
    note_used(source, destination)
    if others:
        payer = node_of(transfers[0].debit)
        with silence_named(payer):
            return post_chain(transfers, order=order, refused=_APART, using=payer)
    if source == destination:
        with silence_named(source):
            return post_chain(transfers, order=order, using=source)
    return post_batch_across(
        transfers, order=order, source=source, destination=destination, is_chain=True
    )
