"""Transfers between two nodes: both or neither, whatever fails.

Both sides are worked at the same time, then decided and settled: three messages, one after another.
No node sees a deadlock between nodes. Hence the first attempt waits for locks only shortly; where
that is not enough both sides give up, and later attempts, and for a while all transfers of these
accounts, work one side after the other, in the same order for all.
"""

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg

from core.db.errors import passing_errors_translated
from transactions.branches import commitment
from transactions.branches.clearing import clearing_account, open_clearing
from transactions.branches.commitment import (
    ANSWER_SECONDS,
    BEGIN,
    ENTER,
    LONG_WAIT,
    Commitment,
    Contended,
    attempts,
    raise_complaint,
    refuse_open_transaction,
)
from transactions.branches.meetings import met_lately, note_meeting
from transactions.branches.outcomes import BranchDown
from transactions.branches.recovery import has_arrived, refuse_unlasting
from transactions.branches.registry import branch_number_of
from transactions.branches.wire import Answer, Line, exchange, say
from transactions.ledger.codes import Refused
from transactions.ledger.posting import Order, Receipt, Transfer

_SHORTLY: Final = BEGIN.format(wait="100ms")
_PATIENTLY: Final = BEGIN.format(wait=LONG_WAIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A transfer from one node to another. Its legs have ids of their own."""

    id: UUID
    transfer: Transfer
    order: Order
    source: str
    destination: str

    @property
    def source_is_first(self) -> bool:
        """Tell which side is worked first when both cannot be at once: the same way for all."""
        transfer = self.transfer
        return (branch_number_of(self.source), transfer.debit) < (
            branch_number_of(self.destination),
            transfer.credit,
        )


def transfer_across(transfer: Transfer, *, order: Order, source: str, destination: str) -> Receipt:
    """Pay from an account of one node to an account of another.

    No transaction may be open on the source: it is decided by one of its own. ``settling`` of the
    receipt says that it is decided, and the payee's side still to come.

    Raises:
        Refused: by one of the two sides; nothing was moved.
        BranchDown: one of the two nodes does not answer; nothing was moved.
        Busy: others were at the accounts all the time; nothing was moved.
        OutcomeUnknown: the source fell silent while it decided, or before its standbys had that.
    """
    crossing = _crossing(transfer, order, source, destination)
    for attempt in attempts():
        try:
            with _Attempt(crossing, attempt) as tried:
                return tried.carry_out()
        except Contended:
            note_meeting(transfer.debit, transfer.credit)
    raise AssertionError  # attempts() ends by raising


def rehearse_across(transfer: Transfer, *, order: Order, source: str, destination: str) -> Receipt:
    """Return what ``transfer_across`` would answer, and write nothing. Raises as it does."""
    crossing = _crossing(transfer, order, source, destination)
    for attempt in attempts():
        try:
            with _Attempt(crossing, attempt) as tried:
                return tried.rehearse()
        except Contended:
            continue
    raise AssertionError  # attempts() ends by raising


def _crossing(transfer: Transfer, order: Order, source: str, destination: str) -> Crossing:
    refuse_open_transaction(source)
    open_clearing(source, destination, currencies=[transfer.amount.currency])
    return Crossing(
        id=uuid4(), transfer=transfer, order=order, source=source, destination=destination
    )


class _Attempt(Commitment):
    """One try at a crossing."""

    def __init__(self, crossing: Crossing, number: int) -> None:
        super().__init__(
            crossing.id, number, source=crossing.source, destination=crossing.destination
        )
        self._asked = crossing
        self._number = number
        accounts = (crossing.transfer.debit, crossing.transfer.credit)
        self._is_in_order = number > 1 or met_lately(*accounts)

    def carry_out(self) -> Receipt:
        """Work both sides, decide, and settle."""
        commitment.on_step("begun")
        sent, received = self._in_order() if self._is_in_order else self._together()
        receipt = self._checked(sent, received)
        if receipt.replayed:
            refuse_unlasting(self._asked.source)
            arrived = has_arrived(self._asked.source, receipt.transfer_id)
            return replace(receipt, settling=not arrived)
        self.decide()
        is_settled = self.settle()
        return Receipt(
            receipt.transfer_id, receipt.debit_after, None, replayed=False, settling=not is_settled
        )

    def rehearse(self) -> Receipt:
        """Work both sides and leave it at that."""
        messages = {
            self.source: _SHORTLY + self._sending(),
            self.destination: _SHORTLY + self._receiving(),
        }
        sent, received = exchange(messages, seconds=ANSWER_SECONDS)
        if sent.is_good and _receipt(sent).replayed:
            return _receipt(sent)
        self._raise_complaints(sent, received)
        return _receipt(sent)

    def _sending(self) -> str:
        asked, transfer, order = self._asked, self._asked.transfer, self._asked.order
        currency = transfer.amount.currency
        return _execute(
            self.source,
            "send",
            asked.id,
            self._number,
            asked.destination,
            clearing_account(asked.source, other=asked.destination, currency=currency),
            order.client,
            order.key,
            transfer.debit,
            transfer.credit,
            transfer.amount.minor,
            currency,
            transfer.kind,
            order.channel,
            order.day,
            order.holder,
            transfer.memo,
            transfer.reference,
            transfer.event_at,
        )

    def _receiving(self) -> str:
        asked, transfer, order = self._asked, self._asked.transfer, self._asked.order
        currency = transfer.amount.currency
        return _execute(
            self.destination,
            "receive",
            asked.id,
            self._number,
            asked.source,
            clearing_account(asked.destination, other=asked.source, currency=currency),
            order.client,
            transfer.debit,
            transfer.credit,
            transfer.amount.minor,
            currency,
            transfer.kind,
            order.channel,
            transfer.memo,
            transfer.event_at,
        )

    def _together(self) -> tuple[Answer, Answer]:
        """Work both sides at once, and prepare."""
        messages = {
            self.source: _SHORTLY + self._sending(),
            self.destination: _SHORTLY + self._receiving() + self.preparing,
        }
        sent, received = exchange(messages, seconds=ANSWER_SECONDS)
        self.note_prepared(received)
        return sent, received

    def _in_order(self) -> tuple[Answer, Answer]:
        """Work one side after the other, and prepare last."""
        if self._asked.source_is_first:
            sent = say(self.source, _PATIENTLY + self._sending(), seconds=ANSWER_SECONDS)
            if not sent.is_good:
                return sent, Answer()
            message = _PATIENTLY + self._receiving() + self.preparing
        else:
            entered = say(self.source, _PATIENTLY + ENTER, seconds=ANSWER_SECONDS)
            if not entered.is_good:
                return entered, Answer()
            received = say(self.destination, _PATIENTLY + self._receiving(), seconds=ANSWER_SECONDS)
            if not received.is_good:
                return Answer(), received
            sent = say(self.source, self._sending(), seconds=ANSWER_SECONDS)
            if not sent.is_good:
                return sent, received
            message = self.preparing
        received = say(self.destination, message, seconds=ANSWER_SECONDS)
        self.note_prepared(received)
        return sent, received

    def _checked(self, sent: Answer, received: Answer) -> Receipt:
        """Return the receipt when both sides are ready, or the source has answered this before."""
        if sent.is_good and sent.row and _receipt(sent).replayed:
            return _receipt(sent)
        self._raise_complaints(sent, received)
        if not self.is_prepared:
            raise Contended
        return _receipt(sent)

    def _raise_complaints(self, sent: Answer, received: Answer) -> None:
        """Raise what one of the two sides complains of; the source's word counts first."""
        for line, answer in ((self.source, sent), (self.destination, received)):
            if answer.complaint is not None:
                _raise_lasting(answer.complaint, line.node)
            if answer.is_lost:
                raise BranchDown(line.node)


def _raise_lasting(complaint: psycopg.Error, node: str) -> None:
    """Raise what a node's complaint means, once what it rests on outlives the node's server."""
    try:
        raise_complaint(complaint, node)
    except Refused as refusal:
        if refusal.rests_on_others:
            refuse_unlasting(node)
        raise


def _execute(line: Line, statement: str, *parameters: Any) -> str:
    """Return the call of a statement that the line has ready."""
    plain = [_plain(parameter) for parameter in parameters]
    rest = [part for part, text in zip(parameters, plain, strict=True) if text is None]
    places = ", ".join("%s" if text is None else text for text in plain)
    with passing_errors_translated():
        return line.text(f"EXECUTE {statement} ({places}); ", rest)


def _plain(parameter: object) -> str | None:
    """Return what needs no quoting as SQL; None for all else. Quoting costs more than the rest."""
    if parameter is None:
        return "NULL"
    if type(parameter) is int:
        return str(parameter)
    return f"'{parameter}'" if type(parameter) is UUID else None


def _receipt(sent: Answer) -> Receipt:
    transfer_id, debit_after, replayed = sent.row
    return Receipt(
        UUID(transfer_id),
        None if debit_after is None else int(debit_after),
        None,
        replayed=replayed == "t",
    )
