"""Working on disputes: somebody takes a case and answers it, with words that the customer reads."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.audit import acting
from accounts.callers import Caller
from accounts.models import Holding
from accounts.reasons import given_reason
from core.errors import DomainError
from notifications.notices.models import NoticeKind
from notifications.notices.telling import NewNotice, tell
from transactions.disputes.models import ANSWERS, Dispute, DisputeState
from transactions.disputes.selectors import dispute_numbered
from transactions.reversing import accounts_moved, ask_reversal_for_bank

ANSWER: Final = "transactions.answer_dispute"


class DisputeAnswered(DomainError):
    """A case has its answer, for good."""

    code = "dispute_answered"
    http_status = 409


class OwnDispute(DomainError):
    """Nobody answers a case of their own, or about money from or to an account of theirs."""

    code = "own_dispute"
    http_status = 403


class NothingToReverse(DomainError):
    """Only the movement of an accepted case is reversed."""

    code = "dispute_not_accepted"


def take_dispute(number: int, *, admin: Caller) -> Dispute:
    """Take a case into one's hands, also out of somebody else's. One transaction.

    Raises:
        UnknownDispute, DisputeAnswered, OwnDispute
        BranchDown: the movement may be at a branch that does not answer.
    """
    with transaction.atomic(), acting(by=admin.pk, credential=admin.credential):
        dispute = _locked(number, admin)
        dispute.state, dispute.taken_by_id = DisputeState.IN_WORK, admin.pk
        dispute.save(update_fields=["state", "taken_by"])
    return dispute


def answer_dispute(
    number: int, *, state: DisputeState, answer: str, reverse: bool, admin: Caller, now: datetime
) -> Dispute:
    """Accept or decline a case, for good, and tell the customer; the answer says why.

    With ``reverse`` an accepted case asks for the movement to be reversed, too: a request as those
    of customers, which another admin approves. One transaction.

    Raises:
        UnknownDispute, DisputeAnswered, OwnDispute, NothingToReverse
        Refused, ReversalAcrossBranches: the movement cannot be reversed; nothing was answered.
        InvalidText: the answer is empty, too long, or not one line.
        BranchDown: the movement may be at a branch that does not answer.
    """
    if state not in ANSWERS:
        message = f"{state} is no answer"
        raise ValueError(message)
    words = given_reason(answer)
    with transaction.atomic(), acting(by=admin.pk, credential=admin.credential, reason=words):
        dispute = _locked(number, admin)
        if reverse:
            _ask_reversal(dispute, state, admin)
        dispute.state, dispute.answer = state, words
        dispute.answered_by_id, dispute.answered_at = admin.pk, now
        dispute.save(update_fields=["state", "answer", "answered_by", "answered_at"])
        _tell(dispute, now)
    return dispute


def _locked(number: int, admin: Caller) -> Dispute:
    """Return a case without an answer, locked, that is for this admin to work on.

    Raises:
        UnknownDispute, DisputeAnswered, OwnDispute, BranchDown
    """
    Dispute.objects.select_for_update().filter(pk=number).first()
    dispute = dispute_numbered(number)
    if dispute.is_answered:
        raise DisputeAnswered(_("This case has its answer already."))
    concerned = (dispute.account, *accounts_moved({"transfer_id": str(dispute.transfer_id)}))
    holds = Holding.objects.filter(account__in=concerned, user=admin.pk).exists()
    if holds or dispute.person_id == admin.pk:
        raise OwnDispute(_("Somebody else must decide about what concerns you."))
    return dispute


def _ask_reversal(dispute: Dispute, state: DisputeState, admin: Caller) -> None:
    if state is not DisputeState.ACCEPTED:
        message = _("Only what is accepted is reversed.")
        raise NothingToReverse(message, field="reverse")
    reason = f"Dispute {dispute.pk}: {dispute.why}"
    ask_reversal_for_bank(dispute.transfer_id, admin=admin.pk, reason=reason)


def _tell(dispute: Dispute, now: datetime) -> None:
    told = {
        "dispute": dispute.pk,
        "transfer": str(dispute.transfer_id),
        "state": str(dispute.state),
        "words": dispute.answer,
    }
    notice = NewNotice(
        person=dispute.person_id,
        kind=NoticeKind.DISPUTE,
        source=f"dispute {dispute.pk}",
        occurred_at=now,
        data=told,
    )
    tell([notice], now=now)
