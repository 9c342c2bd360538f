"""Disputing a movement: whoever holds the account says what is wrong with it, and gets a case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.audit import acting
from accounts.callers import Caller
from accounts.reasons import LONGEST_REASON
from core.clock import bank_day
from core.db.errors import Busy
from core.errors import DomainError
from core.text import InvalidText, one_line
from transactions.branches.asking import ask_head_office_itself
from transactions.disputes.models import Dispute, DisputeReason
from transactions.disputes.selectors import disputes_about
from transactions.ledger.codes import Code, Refused
from transactions.selectors import TransferView, held_by, transfer_of

DAYS: Final = 120
"""For how many days after it was recorded a movement can be disputed."""


class DisputeTooLate(DomainError):
    """A movement is older than what can be disputed."""

    code = "dispute_too_late"

    def __init__(self, until: datetime) -> None:
        told = {"days": DAYS, "until": bank_day(until)}
        message = _("A movement can be disputed for %(days)s days: this one until %(until)s.")
        super().__init__(message % told)


class DisputeUnderWay(DomainError):
    """A movement has a case already that waits for its answer."""

    code = "dispute_under_way"
    http_status = 409

    def __init__(self, number: int) -> None:
        message = _("This movement is disputed already: case %(number)s is not answered yet.")
        super().__init__(message % {"number": number})
        self.members = {"number": str(number)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputesOfMovement:
    """What there is about a movement, the latest first, and until when it can be disputed.

    ``is_possible``: now. ``cases`` are None while the head office, which keeps them, is silent.
    """

    cases: Sequence[Dispute] | None
    until: datetime
    is_possible: bool


def disputes_of_movement(user: int, *, transfer: TransferView, now: datetime) -> DisputesOfMovement:
    """Return what is disputed about a transfer that is a person's to see."""
    cases = ask_head_office_itself(
        lambda node: disputes_about(transfer.transfer_id, user=user, using=node)
    )
    until = _until(transfer)
    is_free = cases is not None and all(one.is_answered for one in cases)
    return DisputesOfMovement(
        cases=cases,
        until=until,
        is_possible=is_free and not transfer.is_reversed and now < until,
    )


def open_dispute(
    caller: Caller, *, transfer_id: UUID, reason: DisputeReason, words: str, now: datetime
) -> tuple[Dispute, bool]:
    """Open a case about a movement of one of a person's accounts; True: it is new.

    While it is unanswered, the same person who says the same again is answered with the same case.
    One transaction at the head office.

    Raises:
        Refused: there is no such transfer of theirs, or it is reversed already.
        DisputeTooLate
        DisputeUnderWay: with its number.
        InvalidText: the words are too long or not one line, or missing for something else.
        BranchDown: it may be at a branch that does not answer.
    """
    said = _words(reason, words)
    transfer = transfer_of(caller.pk, transfer_id=transfer_id)
    if transfer.is_reversed:
        raise Refused(Code.ALREADY_REVERSED)
    if now >= _until(transfer):
        raise DisputeTooLate(_until(transfer))
    asked = Dispute(
        transfer_id=transfer_id,
        account=_own_side(caller.pk, transfer),
        person_id=caller.pk,
        why=reason,
        words=said,
        opened_at=now,
    )
    try:
        with transaction.atomic(), acting(by=caller.pk, credential=caller.credential):
            asked.save(force_insert=True)
    except IntegrityError:
        return _under_way(asked), False
    return asked, True


def _words(reason: DisputeReason, words: str) -> str:
    said = one_line(words, longest=LONGEST_REASON, field="words")
    if reason is DisputeReason.OTHER and not said:
        message = _("Please say what is wrong.")
        raise InvalidText(message, code="words_missing", field="words")
    return said


def _until(transfer: TransferView) -> datetime:
    return transfer.recorded_at + timedelta(days=DAYS)


def _own_side(user: int, transfer: TransferView) -> int:
    """Return the account of a person's that a transfer moved; of two, the one that paid."""
    mine = held_by(user)
    sides = (transfer.debit.number, transfer.credit.number)
    return next(side for side in sides if side in mine)


def _under_way(asked: Dispute) -> Dispute:
    """Return the case that stands in the way of another one, if it is the same.

    Raises:
        DisputeUnderWay
        Busy: it was answered just now.
    """
    cases = disputes_about(asked.transfer_id)
    known = next(
        (one for one in cases if one.account == asked.account and not one.is_answered), None
    )
    if known is None:
        message = _("The case before has just been answered. Please look at the answer first.")
        raise Busy(message)
    if (known.person_id, known.why, known.words) != (asked.person_id, asked.why, asked.words):
        raise DisputeUnderWay(known.pk)
    return known
