"""Reversals: asked for by whoever paid, approved by an admin, and done by the ledger, once."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.approvals import approvable, ask_approval
from accounts.models import Approval, ApprovalState
from accounts.reasons import given_reason
from core import clock
from core.clock import bank_day
from core.errors import DomainError
from transactions.branches.outcomes import BranchDown, OutcomeUnknown, silence_named
from transactions.branches.registry import has_moved, nodes
from transactions.ledger import posting, reads
from transactions.ledger.codes import Code, Refused
from transactions.ledger.posting import Channel, Kind, Order
from transactions.ledger.reads import PostedTransfer
from transactions.selectors import transfer_of

ACTION: Final = "transactions.reverse_transfer"
_MOST_SHOWN: Final = 20
_REVERSIBLE: Final = (Kind.TRANSFER, Kind.PAYMENT)


class ReversalAcrossBranches(DomainError):
    """A transfer's two accounts are at different branches, whose ledgers reverse their own only."""

    code = "reversal_across_branches"

    def __init__(self) -> None:
        super().__init__(
            _(
                "The accounts are at different branches by now, where no transfer can be reversed; "
                "ask the payee to send the money back."
            )
        )


def ask_reversal(user: int, *, transfer_id: UUID, reason: str) -> tuple[Approval, bool]:
    """Ask the bank to reverse a transfer that a person paid; True: it was not asked before.

    While an admin has not decided, asking again answers with the first request. Of linked
    transfers all are reversed.

    Raises:
        Refused: there is no such transfer of theirs, it is reversed already, or not of a kind that
            is.
        ReversalAcrossBranches
        InvalidText: the reason is empty, too long, or not one line.
        BranchDown: it may be at a branch that does not answer.
    """
    words = given_reason(reason)
    node, posted = _find(transfer_id)
    with silence_named(node):
        if reads.rights_on(posted.debit, user=user, using=node) is None:
            raise Refused(Code.UNKNOWN_TRANSFER)
    return _ask(posted, maker=user, reason=words)


def ask_reversal_for_bank(transfer_id: UUID, *, admin: int, reason: str) -> tuple[Approval, bool]:
    """Ask for a transfer to be reversed, as an admin who found that it was wrong.

    Another admin approves. What was asked before is answered with, as in ``ask_reversal``.

    Raises:
        Refused: there is no such transfer, it is reversed already, or not of a kind that is.
        ReversalAcrossBranches
        InvalidText: the reason is empty, too long, or not one line.
        BranchDown: it may be at a branch that does not answer.
    """
    _node, posted = _find(transfer_id)
    return _ask(posted, maker=admin, reason=given_reason(reason))


def _ask(posted: PostedTransfer, *, maker: int, reason: str) -> tuple[Approval, bool]:
    _check_reversible(posted)
    asked = {"transfer_id": str(posted.transfer_id)}
    under_way = Approval.objects.filter(
        action=ACTION, payload=asked, state__in=[ApprovalState.WAITING, ApprovalState.APPROVED]
    )
    known = under_way.first()
    if known is not None:
        return known, False
    return ask_approval(maker=maker, action=ACTION, payload=asked, reason=reason), True


def reversals_asked(user: int, *, transfer_id: UUID) -> list[Approval]:
    """Return a person's requests to reverse a transfer, newest first.

    Raises:
        Refused: there is no such transfer of theirs.
        BranchDown: it may be at a branch that does not answer.
    """
    asked = Approval.objects.filter(
        maker=user, action=ACTION, payload={"transfer_id": str(transfer_id)}
    )
    found = list(asked[:_MOST_SHOWN])
    if not found:
        transfer_of(user, transfer_id=transfer_id)
    return found


def accounts_moved(payload: Mapping[str, Any]) -> tuple[int, ...]:
    """Return whose money a reversal would move.

    Raises:
        BranchDown: it may be at a branch that does not answer.
    """
    try:
        _node, posted = _find(UUID(payload["transfer_id"]))
    except Refused:
        return ()
    return posted.debit, posted.credit


@approvable(ACTION, concerns=accounts_moved)
def _reverse(payload: Mapping[str, Any], *, maker: int, checker: int) -> Any:  # noqa: ARG001  # approvals pass it
    node, posted = _find(UUID(payload["transfer_id"]))
    _check_accounts(posted)
    order = Order(
        client=checker,
        channel=Channel.TELLER,
        day=bank_day(clock.now()),
        key=f"approval:{payload['approval']}",
    )
    with silence_named(node):
        reversal = posting.reverse(posted.transfer_id, order=order, using=node)
    return {"reversal_id": str(reversal)}


def _check_reversible(posted: PostedTransfer) -> None:
    if posted.reversed_by is not None:
        raise Refused(Code.ALREADY_REVERSED)
    if posted.kind not in _REVERSIBLE:
        raise Refused(Code.NOT_REVERSIBLE)
    _check_accounts(posted)


def _check_accounts(posted: PostedTransfer) -> None:
    if posted.is_across or has_moved(posted.debit) or has_moved(posted.credit):
        raise ReversalAcrossBranches


def _find(transfer_id: UUID) -> tuple[str, PostedTransfer]:
    """Return a transfer and its node, by the word of the nodes themselves."""
    silent: BranchDown | None = None
    for node in nodes():
        try:
            with silence_named(node):
                posted = reads.transfer(transfer_id, using=node)
        except (BranchDown, OutcomeUnknown):
            silent = BranchDown(node)
            continue
        if posted is not None:
            return node, posted
    if silent is not None:
        raise silent
    raise Refused(Code.UNKNOWN_TRANSFER)
